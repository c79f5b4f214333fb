import { ObjectDetector } from 'ocelli/inline';
import { report, show } from './detect.js';

report(show(ObjectDetector));
