export default {
  mode: 'production',
  entry: './main.js',
  // No warning about size: the model is larger than webpack's limit.
  performance: { hints: false },
};
