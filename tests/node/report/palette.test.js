// Whether people can read and tell apart the colours of plots, by WCAG's contrast and by simulated colour blindness.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEUTRAL, SCHEMES } from '../../../wasm/report/palette.js';

/** What people without one kind of cones see, in linear sRGB: Machado, Oliveira and Fernandes 2009, severity 1. */
const EYES = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** @param {string} color @returns {number[]} linear sRGB */
const toLinear = (color) =>
  [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });

/** @param {number[][]} matrix @param {number[]} vector */
const multiply = (matrix, vector) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i], 0));

/** @param {number[]} linear */
const luminance = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

/** @param {string} a @param {string} b */
function contrast(a, b) {
  const [dark, light] = [a, b].map((color) => luminance(toLinear(color))).sort((p, q) => p - q);
  return (light + 0.05) / (dark + 0.05);
}

/** CIE 1976 L*a*b*, D65. @param {number[]} linear */
function toLab(linear) {
  const [x, y, z] = multiply(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    linear.map((value) => Math.min(1, Math.max(0, value))),
  );
  const f = (/** @type {number} */ t) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const [fx, fy, fz] = [f(x / 0.9505), f(y), f(z / 1.089)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

for (const [name, scheme] of Object.entries(SCHEMES)) {
  const { card, paper, ink, muted, accent, series } = scheme;

  test(`texts and lines of the ${name} scheme have contrast`, () => {
    for (const back of [card, paper])
      for (const text of [ink, muted]) assert.ok(contrast(text, back) >= 4.5, `${text} on ${back}`);
    for (const color of [accent, muted, ...series])
      assert.ok(contrast(color, card) >= 3, `${color}: ${contrast(color, card)}`);
  });

  for (const [eye, matrix] of Object.entries(EYES)) {
    test(`two series of the ${name} scheme differ: ${eye}`, () => {
      const seen = series.map((color) => toLab(multiply(matrix, toLinear(color))));
      seen.forEach((a, i) =>
        seen.slice(0, i).forEach((b, j) => {
          const distance = Math.hypot(...a.map((value, k) => value - b[k]));
          assert.ok(distance >= 20, `${series[i]} and ${series[j]}: ${distance}`);
        }),
      );
    });
  }
}

test('the neutral series has the colour of the text', () => {
  for (const { series, ink } of Object.values(SCHEMES)) assert.equal(series[NEUTRAL], ink);
});
