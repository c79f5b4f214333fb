// Calls the bundled function as Lambda does: npm start -- photo.jpg
const { readFileSync } = require('node:fs');
const { handler } = require('./dist/index.cjs');

const [photo] = process.argv.slice(2);
const body = photo ? readFileSync(photo).toString('base64') : '';
handler({ body, isBase64Encoded: true }).then(console.log);
