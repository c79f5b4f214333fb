// The Worker's bindings, as wrangler.jsonc names them.
declare module 'cloudflare:workers' {
  export const env: any;
}
