// The font and the colours of all plots and reports, on light and on dark pages.

export const FONT = 'system-ui, sans-serif';

/**
 * @typedef {object} Scheme
 * @property {string} paper behind the cards of a page
 * @property {string} card behind text and plots
 * @property {string} ink
 * @property {string} muted text that says how to read the rest
 * @property {string} line between rows, and of a plot's grid
 * @property {string} accent what the reader should see first
 * @property {readonly string[]} series for lines and bars
 */

/**
 * Texts have a contrast of at least 4.5 to the card, series of 3. Two series differ by 20 or more in CIE 1976's L*a*b*,
 * also for people who lack one kind of cones.
 * @type {{light: Scheme, dark: Scheme}}
 */
export const SCHEMES = {
  light: {
    paper: '#f6f7f5',
    card: '#ffffff',
    ink: '#18211f',
    muted: '#5a6663',
    line: '#dde2df',
    accent: '#0b7a68',
    series: ['#1764c1', '#d37215', '#005331', '#950b68', '#895006', '#18a0c6', '#18211f'],
  },
  dark: {
    paper: '#101413',
    card: '#181e1c',
    ink: '#e8eeec',
    muted: '#97a5a1',
    line: '#2b3431',
    accent: '#3ddbc0',
    series: ['#4f79d6', '#ed5435', '#00d797', '#ae799e', '#f5d31c', '#abc9ff', '#e8eeec'],
  },
};

/** The series that stands for what all others are compared with: ink. */
export const NEUTRAL = SCHEMES.light.series.length - 1;
/** As many series can be told apart. */
export const MOST_SERIES = SCHEMES.light.series.length;
