import { ObjectDetector } from 'ocelli';
import { report } from '../pages/report.js';
import { measure } from './measure.js';

report(performance.now(), JSON.stringify(await measure(ObjectDetector, { worker: true })));
