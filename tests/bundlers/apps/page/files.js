import { ObjectDetector } from 'ocelli';
import { report, show } from './detect.js';

report(show(ObjectDetector));
