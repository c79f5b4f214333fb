// Where a box is and where it goes: a Kalman filter with constant velocity.
//
// The state is the two corners (x1, y1, x2, y2) and their velocities, in pixels and pixels a frame. The noise does not
// couple the coordinates and is the same for all four, so that the filter of 8 x 8 matrices is four of 2 x 2, which share
// one covariance. The order of the operations is that of the matrix products: results are the same to the last bit.

const MEASUREMENT_NOISE = 0.1;
const PROCESS_NOISE = 0.01;

/**
 * @typedef {object} Step from one frame to the next
 * @property {number} frames
 * @property {boolean} isOne whether it counts as one frame: clocks are not exact
 */

export class Motion {
  /** Covariances of position (p) and velocity (v). */
  #pp = 1;
  #pv = 0;
  #vp = 0;
  #vv = 1;

  /** @param {Float64Array} corners */
  constructor(corners) {
    this.position = Float64Array.from(corners);
    this.velocity = new Float64Array(4);
  }

  /** @param {Step} step */
  predict({ frames, isOne }) {
    for (let i = 0; i < 4; i++) this.position[i] += this.velocity[i] * frames;
    const pv = this.#pv + frames * this.#vv;
    const pp = this.#pp + frames * this.#vp + frames * pv;
    const vp = this.#vp + frames * this.#vv;
    // Noise of one frame; of a longer or shorter step, what a random acceleration during it makes.
    const squared = frames * frames;
    const shared = isOne ? 0 : (PROCESS_NOISE * (squared * frames)) / 2;
    this.#pp = pp + (isOne ? PROCESS_NOISE : (PROCESS_NOISE * (squared * squared)) / 4);
    this.#pv = pv + shared;
    this.#vp = vp + shared;
    this.#vv += isOne ? PROCESS_NOISE : PROCESS_NOISE * squared;
  }

  /** @param {Float64Array} corners that were measured */
  correct(corners) {
    const inverse = 1 / (this.#pp + MEASUREMENT_NOISE);
    const gainP = this.#pp * inverse;
    const gainV = this.#vp * inverse;
    for (let i = 0; i < 4; i++) {
      const surprise = corners[i] - this.position[i];
      this.position[i] += gainP * surprise;
      this.velocity[i] += gainV * surprise;
    }
    // Joseph's form.
    const keptP = 1 - gainP;
    const pp = keptP * this.#pp;
    const pv = keptP * this.#pv;
    const vp = -gainV * this.#pp + this.#vp;
    const vv = -gainV * this.#pv + this.#vv;
    this.#pp = pp * keptP + gainP * MEASUREMENT_NOISE * gainP;
    this.#pv = pp * -gainV + pv + gainP * MEASUREMENT_NOISE * gainV;
    this.#vp = vp * keptP + gainV * MEASUREMENT_NOISE * gainP;
    this.#vv = vp * -gainV + vv + gainV * MEASUREMENT_NOISE * gainV;
  }
}
