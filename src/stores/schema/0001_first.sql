-- The first schema. A migration is never edited once released: the next change is 0002_….sql.
--
-- A row is its `body` (JSON). The columns beside it repeat what rows are found by (src/kernel/tables.ts);
-- nothing reads a value back from them, but for an event's, whose body holds the rest.
--
-- - Not STRICT: a fractional millisecond from some wire would sink a whole batch of strangers' requests.
-- - Columns and indexes that change together on every write are few; most indexes stand on what never changes.
-- - Secondary indexes end in `id` where lists page by it, so that a page is one walk of the index.

CREATE TABLE instances (
  id TEXT PRIMARY KEY NOT NULL,
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  situation TEXT NOT NULL,
  name TEXT NOT NULL,
  flavorId TEXT,
  imageId TEXT,
  serviceId TEXT,
  nodeId TEXT,
  driver TEXT,
  createdBy TEXT NOT NULL,
  createdAtMs INTEGER NOT NULL,
  updatedAtMs INTEGER NOT NULL,
  livedUntilMs INTEGER NOT NULL,
  schemes TEXT NOT NULL,
  facets TEXT NOT NULL,
  facetKey INTEGER NOT NULL,
  queuePool TEXT,
  queueTicket INTEGER,
  nameKey TEXT,
  wakeAtMs INTEGER,
  body TEXT NOT NULL,
  -- The lifecycle tables, once more: a state that recovery does not know must never reach the disk.
  CHECK (
    CASE kind
      WHEN 'server' THEN state IN (
        'provisioning', 'running', 'stopped', 'paused', 'suspended', 'starting', 'stopping', 'restarting',
        'pausing', 'unpausing', 'suspending', 'resuming', 'imaging', 'rebuilding', 'deleting', 'failed',
        'deleted'
      )
      WHEN 'notebook' THEN state IN (
        'provisioning', 'running', 'stopped', 'queued', 'reserved', 'starting', 'stopping', 'restarting',
        'deleting', 'failed', 'deleted'
      )
      WHEN 'edge-instance' THEN state IN (
        'deploying', 'running', 'stopped', 'not-ready', 'starting', 'stopping', 'deleting', 'failed',
        'deleted'
      )
      WHEN 'service-instance' THEN state IN (
        'up', 'down', 'starting', 'testing', 'out-of-service', 'expired', 'unregistered'
      )
      ELSE FALSE
    END
  )
);
-- `name` at the end of an index: a search for part of a name then reads the index alone.
CREATE INDEX instances_project ON instances (project, createdAtMs, id, name);
CREATE INDEX instances_project_id ON instances (project, id);
-- `livedUntilMs` likewise: a usage passes over what ended before its period without reading a row.
CREATE INDEX instances_project_kind ON instances (project, kind, createdAtMs, id, name, livedUntilMs);
CREATE INDEX instances_kind ON instances (kind, createdAtMs, id);
CREATE INDEX instances_created ON instances (createdAtMs, id);
-- `facetKey` and `name` likewise: a search by facets and part of a name reads rows only for its page.
CREATE INDEX instances_state ON instances (project, kind, state, createdAtMs, id, facetKey, name);
CREATE INDEX instances_facets ON instances (project, kind, facetKey) WHERE facets <> '';
CREATE INDEX instances_name ON instances (project, kind, name, id);
CREATE INDEX instances_nameKey ON instances (nameKey) WHERE nameKey IS NOT NULL;
CREATE INDEX instances_service ON instances (serviceId, createdAtMs, id) WHERE serviceId IS NOT NULL;
CREATE INDEX instances_node ON instances (nodeId, createdAtMs, id) WHERE nodeId IS NOT NULL;
CREATE INDEX instances_queue ON instances (queuePool, queueTicket, id) WHERE queuePool IS NOT NULL;
CREATE INDEX instances_wake ON instances (wakeAtMs, id) WHERE wakeAtMs IS NOT NULL;
CREATE INDEX instances_driver ON instances (driver, id) WHERE driver IS NOT NULL;

-- How many instances there are of each sort, so that a total never counts rows.
CREATE TABLE instanceTallies (
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  situation TEXT NOT NULL,
  schemes TEXT NOT NULL,
  flavorId TEXT,
  createdBy TEXT NOT NULL,
  tally INTEGER NOT NULL
);
-- No flavor and a flavor named '' are two sorts, and a unique index alone would never call two NULLs the same.
CREATE UNIQUE INDEX instanceTallies_sort ON instanceTallies (
  project, kind, state, situation, schemes, createdBy, ifnull(flavorId, ''), flavorId IS NULL
);

CREATE TRIGGER instances_added AFTER INSERT ON instances BEGIN
  INSERT INTO instanceTallies (project, kind, state, situation, schemes, flavorId, createdBy, tally)
  VALUES (
    new.project, new.kind, new.state, new.situation, new.schemes, new.flavorId, new.createdBy, 1
  )
  ON CONFLICT (
    project, kind, state, situation, schemes, createdBy, ifnull(flavorId, ''), flavorId IS NULL
  )
  DO UPDATE SET tally = tally + 1;
END;

CREATE TRIGGER instances_removed AFTER DELETE ON instances BEGIN
  UPDATE instanceTallies SET tally = tally - 1
  WHERE project = old.project AND kind = old.kind AND state = old.state AND situation = old.situation
    AND schemes = old.schemes AND createdBy = old.createdBy
    AND ifnull(flavorId, '') = ifnull(old.flavorId, '') AND (flavorId IS NULL) = (old.flavorId IS NULL);
END;

CREATE TRIGGER instances_moved
AFTER UPDATE OF project, kind, state, situation, schemes, flavorId, createdBy ON instances BEGIN
  UPDATE instanceTallies SET tally = tally - 1
  WHERE project = old.project AND kind = old.kind AND state = old.state AND situation = old.situation
    AND schemes = old.schemes AND createdBy = old.createdBy
    AND ifnull(flavorId, '') = ifnull(old.flavorId, '') AND (flavorId IS NULL) = (old.flavorId IS NULL);
  INSERT INTO instanceTallies (project, kind, state, situation, schemes, flavorId, createdBy, tally)
  VALUES (
    new.project, new.kind, new.state, new.situation, new.schemes, new.flavorId, new.createdBy, 1
  )
  ON CONFLICT (
    project, kind, state, situation, schemes, createdBy, ifnull(flavorId, ''), flavorId IS NULL
  )
  DO UPDATE SET tally = tally + 1;
END;

-- The same by sets of facets, of which there are few however many instances share them. A set's key stands for
-- its text everywhere but here, where the text is searched. Sorts that nothing is of any more are removed.
CREATE TABLE facetTallies (
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  facetKey INTEGER NOT NULL,
  state TEXT NOT NULL,
  schemes TEXT NOT NULL,
  flavorId TEXT,
  tally INTEGER NOT NULL,
  facets TEXT NOT NULL,
  PRIMARY KEY (project, kind, facetKey, state)
) WITHOUT ROWID;

CREATE TRIGGER instances_facets_added AFTER INSERT ON instances WHEN new.facets <> '' BEGIN
  INSERT INTO facetTallies (project, kind, facetKey, state, schemes, flavorId, tally, facets)
  VALUES (new.project, new.kind, new.facetKey, new.state, new.schemes, new.flavorId, 1, new.facets)
  ON CONFLICT (project, kind, facetKey, state) DO UPDATE SET tally = tally + 1;
END;

CREATE TRIGGER instances_facets_removed AFTER DELETE ON instances WHEN old.facets <> '' BEGIN
  UPDATE facetTallies SET tally = tally - 1
  WHERE project = old.project AND kind = old.kind AND facetKey = old.facetKey AND state = old.state;
  DELETE FROM facetTallies
  WHERE project = old.project AND kind = old.kind AND facetKey = old.facetKey AND state = old.state
    AND tally = 0;
END;

CREATE TRIGGER instances_facets_left
AFTER UPDATE OF project, kind, state, facets, facetKey ON instances WHEN old.facets <> '' BEGIN
  UPDATE facetTallies SET tally = tally - 1
  WHERE project = old.project AND kind = old.kind AND facetKey = old.facetKey AND state = old.state;
  DELETE FROM facetTallies
  WHERE project = old.project AND kind = old.kind AND facetKey = old.facetKey AND state = old.state
    AND tally = 0;
END;

CREATE TRIGGER instances_facets_came
AFTER UPDATE OF project, kind, state, facets, facetKey ON instances WHEN new.facets <> '' BEGIN
  INSERT INTO facetTallies (project, kind, facetKey, state, schemes, flavorId, tally, facets)
  VALUES (new.project, new.kind, new.facetKey, new.state, new.schemes, new.flavorId, 1, new.facets)
  ON CONFLICT (project, kind, facetKey, state) DO UPDATE SET tally = tally + 1;
END;

CREATE TABLE operations (
  id TEXT PRIMARY KEY NOT NULL,
  project TEXT NOT NULL,
  instanceId TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
  startedAtMs INTEGER NOT NULL,
  requestId TEXT NOT NULL,
  claimAtMs INTEGER,
  body TEXT NOT NULL
);
-- Few: what is claimed, counted and watched. Whatever has ended is not in it.
CREATE INDEX operations_running ON operations (claimAtMs, id) WHERE state = 'running';
CREATE INDEX operations_project ON operations (project, startedAtMs, id);
CREATE INDEX operations_started ON operations (startedAtMs, id);
CREATE INDEX operations_instance ON operations (instanceId, startedAtMs, id);
CREATE INDEX operations_request ON operations (requestId);

CREATE TABLE services (
  id TEXT PRIMARY KEY NOT NULL,
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  ownerKey TEXT,
  createdAtMs INTEGER NOT NULL,
  deployedAtMs INTEGER NOT NULL,
  statusSinceMs INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX services_key ON services (key) WHERE key IS NOT NULL;
CREATE INDEX services_owner ON services (ownerKey) WHERE ownerKey IS NOT NULL;
CREATE INDEX services_project ON services (project, kind, createdAtMs, id);

CREATE TABLE dependencies (
  id TEXT PRIMARY KEY NOT NULL,
  project TEXT NOT NULL,
  serviceId TEXT NOT NULL,
  provider TEXT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX dependencies_project ON dependencies (project, id);
CREATE INDEX dependencies_service ON dependencies (serviceId, id);
CREATE INDEX dependencies_provider ON dependencies (provider, id);

CREATE TABLE aliases (
  id TEXT PRIMARY KEY NOT NULL,
  instanceId TEXT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX aliases_instance ON aliases (instanceId);

CREATE TABLE idempotency (
  id TEXT PRIMARY KEY NOT NULL,
  expiresAtMs INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expiresAtMs, id);

CREATE TABLE batches (
  id TEXT PRIMARY KEY NOT NULL,
  expiresAtMs INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX batches_expiry ON batches (expiresAtMs, id);

-- Few: circles of leases whose expiry is held.
CREATE TABLE guards (id TEXT PRIMARY KEY NOT NULL, project TEXT, body TEXT NOT NULL);

CREATE TABLE flavors (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX flavors_name ON flavors (name);

CREATE TABLE images (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX images_name ON images (name);

CREATE TABLE pools (id TEXT PRIMARY KEY NOT NULL, passAtMs INTEGER, body TEXT NOT NULL);
CREATE INDEX pools_pass ON pools (passAtMs, id) WHERE passAtMs IS NOT NULL;

CREATE TABLE nodes (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX nodes_name ON nodes (name);

CREATE TABLE drivers (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL);

CREATE TABLE projects (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX projects_name ON projects (name);

CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX users_name ON users (name);

CREATE TABLE grants (
  id TEXT PRIMARY KEY NOT NULL,
  userId TEXT NOT NULL,
  project TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX grants_user ON grants (userId);
CREATE INDEX grants_project ON grants (project);

CREATE TABLE keyPairs (id TEXT PRIMARY KEY NOT NULL, userId TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX keyPairs_user ON keyPairs (userId);

CREATE TABLE accessKeys (id TEXT PRIMARY KEY NOT NULL, userId TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX accessKeys_user ON accessKeys (userId);

CREATE TABLE appCredentials (id TEXT PRIMARY KEY NOT NULL, userId TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX appCredentials_user ON appCredentials (userId);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY NOT NULL,
  userId TEXT NOT NULL,
  expiresAtMs INTEGER,
  body TEXT NOT NULL
);
CREATE INDEX tokens_user ON tokens (userId);
CREATE INDEX tokens_expiry ON tokens (expiresAtMs, id) WHERE expiresAtMs IS NOT NULL;

CREATE TABLE accounts (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL);

CREATE TABLE accountRoles (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL);

-- AUTOINCREMENT: a number is never given twice, even after the last events were removed. Each index below ends
-- in `seq` without saying so, because `seq` is the row's own address.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT,
  instanceId TEXT,
  subject TEXT NOT NULL,
  type TEXT NOT NULL,
  atMs INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX events_project ON events (project);
CREATE INDEX events_subject ON events (subject);
-- An event about an instance nearly always has it as its subject: this index holds the others.
CREATE INDEX events_instance ON events (instanceId) WHERE instanceId <> subject;
-- What meters are read from (src/kernel/meter.ts, meteredTypes): by instance and time.
CREATE INDEX events_meter ON events (instanceId, atMs) WHERE type IN (
  'instance.created', 'instance.state', 'instance.stopped-mode', 'instance.charge'
);
