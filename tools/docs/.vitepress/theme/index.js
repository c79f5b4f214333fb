import Theme from 'vitepress/theme-without-fonts';
import { RunExample } from './run_example.js';
import './style.css';

export default {
  extends: Theme,
  /** @param {{app: import('vue').App}} context */
  enhanceApp({ app }) {
    app.component('RunExample', RunExample);
  },
};
