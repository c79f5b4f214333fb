-- One row for each version of an object: wrangler d1 execute ocelli-results --remote --file schema.sql
CREATE TABLE IF NOT EXISTS results (
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  detections TEXT NOT NULL,
  detected_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (key, version)
);
