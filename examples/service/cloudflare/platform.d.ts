// The type of the Worker's bindings; wrangler.jsonc names them.
declare module 'cloudflare:workers' {
  export const env: any;
}
