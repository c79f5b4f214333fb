export default {
  mode: 'production',
  entry: './main.js',
  // The model is larger than what webpack thinks a page should load.
  performance: { hints: false },
};
