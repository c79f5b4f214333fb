export default { base: './', build: { rollupOptions: { input: ['files.html', 'inline.html'] } } };
