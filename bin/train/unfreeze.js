// The options of ocelli train that unfreeze blocks, of a classifier's network or of a detector.
import { BATCH_NORM } from '../../wasm/report/metrics.js';
import { printNote } from '../output.js';

/** @param {import('../commands/train.js').Values} values */
export const toUnfreeze = ({ unfreeze, ...values }) => ({
  unfreeze,
  batchNorm: values['batch-norm'],
  batchNormMomentum: values['batch-norm-momentum'],
});

/**
 * Says how batch norm is treated, which depends on the file.
 * @param {{batchNorm?: keyof typeof BATCH_NORM}} trained
 */
export function noteBatchNorm({ batchNorm }) {
  if (batchNorm) printNote(`batch norm: ${BATCH_NORM[batchNorm]}`);
}
