// The colour of a class, or of a track.

/** @typedef {readonly [red: number, green: number, blue: number]} Color each 0 to 255 */

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Chosen by eye for the most common classes of the default model. */
const FIRST_HUE = 0.5;

/**
 * @param {number} lightness @param {number} chroma @param {number} hue in radians
 * @returns {[number, number, number]} linear sRGB; outside 0 to 1 if sRGB does not contain the colour (Björn Ottosson's
 *   OKLab)
 */
function oklchToLinearRgb(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** @param {number} linear 0 to 1 @returns {number} 0 to 255, with sRGB's transfer curve */
function toSrgb(linear) {
  return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));
}

/**
 * The colour of a class; it depends on `labelId` only. Hues advance by the golden angle, so that neighbouring numbers
 * differ most. The lightness is the one with the most vivid colour in sRGB, from a range that contrasts with dark and
 * bright photos and with black text.
 *
 * @param {number} labelId
 * @returns {Color}
 */
export function classColor(labelId) {
  const hue = labelId * GOLDEN_ANGLE + FIRST_HUE;
  for (let chroma = 0.22; chroma > 0; chroma -= 0.005) {
    for (let lightness = 0.88; lightness >= 0.68; lightness -= 0.01) {
      const rgb = oklchToLinearRgb(lightness, chroma, hue);
      const isInSrgb = rgb.every((part) => part >= 0 && part <= 1);
      if (isInSrgb) return [toSrgb(rgb[0]), toSrgb(rgb[1]), toSrgb(rgb[2])];
    }
  }
  return [255, 255, 255]; // labelId is NaN
}
