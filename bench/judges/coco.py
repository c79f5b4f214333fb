# A Python program, which bench/evaluate.js runs: coco.py NAME TRUTH DETECTIONS
import contextlib, io, json, resource, sys

name, truth, found = sys.argv[1:]
with contextlib.redirect_stdout(io.StringIO()):
    if name == 'pycocotools':
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval as Judge
    else:
        from faster_coco_eval import COCO, COCOeval_faster as Judge
    coco = COCO(truth)
    judge = Judge(coco, coco.loadRes(found), 'bbox')
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({'AP': float(judge.stats[0]), 'seconds': usage.ru_utime + usage.ru_stime, 'bytes': 1024 * usage.ru_maxrss}))
