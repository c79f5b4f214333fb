module.exports = {
  mode: 'production',
  target: 'node',
  entry: { files: './files.js', inline: './inline.js' },
  output: { path: `${__dirname}/out/pack`, filename: '[name].cjs' },
};
