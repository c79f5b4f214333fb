// Measures detections from files, and prints what it took: node ocelli.js coco|all TRUTH DETECTIONS
import { judge } from '../../bin/evaluate/judge.js';

const [measures, groundTruth, detections] = process.argv.slice(2);
const { evaluation } = await judge({ groundTruth, detections }, measures === 'all' ? {} : { measures: [] });
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const seconds = (userCPUTime + systemCPUTime) / 1e6;
console.log(JSON.stringify({ AP: evaluation.coco.AP, seconds, bytes: 1024 * maxRSS }));
