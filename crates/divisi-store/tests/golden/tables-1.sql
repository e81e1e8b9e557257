-- A journal as Divisi wrote it when the ledger had one row: three runs, of which two are bounded.
PRAGMA application_id = 1145656905;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE commands(
        id      TEXT PRIMARY KEY,
        outcome TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO "commands" VALUES('c1795663865012-30051-0','run-1');
INSERT INTO "commands" VALUES('c1795663865252-30083-0','run-2');
INSERT INTO "commands" VALUES('c1795663865377-30113-0','run-3');
CREATE TABLE epochs(
        epoch  INTEGER PRIMARY KEY,
        at     INTEGER NOT NULL,
        divisi TEXT NOT NULL
    ) STRICT;
INSERT INTO "epochs" VALUES(1,1795663865077,'0.1.0');
INSERT INTO "epochs" VALUES(2,1795663865253,'0.1.0');
INSERT INTO "epochs" VALUES(3,1795663865378,'0.1.0');
CREATE TABLE events(
        id      INTEGER PRIMARY KEY,
        stream  INTEGER NOT NULL,
        seq     INTEGER NOT NULL CHECK(seq > 0),
        kind    TEXT NOT NULL,
        version INTEGER NOT NULL,
        at      INTEGER NOT NULL,
        body    TEXT NOT NULL
    ) STRICT;
INSERT INTO "events" VALUES(1,1,1,'run_created',1,1795663865083,'{"event":"run_created","plan":{"title":"Bounded","tasks":[{"id":"a","title":"a","work":{"command":["true"]},"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}},{"id":"b","title":"b","work":{"command":["true"]},"dependencies":["a"],"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}}]},"settings":{"workers_max":4,"role_limits":{},"agent_limits":{},"agent_default":"person","failures_max":3,"reassign_after":2,"losses_max":5,"conflicts_max":5,"loss_delay_ms":1000,"limits_max":20,"limit_delay_ms":60000,"limit_wait_max_ms":86400000,"timeout_ms":1800000,"barriers":false,"batch_max":8,"budget":{"attempts":2,"time_ms":600000}},"base":{"commit":"2666dcda67659cd441e911958fbe663d9c05782c","described":"master (2666dcda6765)","uncommitted":["plan.json"],"included":false},"approved":true}');
INSERT INTO "events" VALUES(2,-1,1,'account_opened',1,1795663865083,'{"event":"account_opened","account":{"run":1},"budget":{"attempts":2,"time_ms":600000}}');
INSERT INTO "events" VALUES(3,-1,2,'reserved',1,1795663865086,'{"event":"reserved","attempt":{"run":1,"task":0,"number":1},"amount":{"attempts":1,"time_ms":600000},"accounts":[{"run":1}]}');
INSERT INTO "events" VALUES(4,1,2,'attempt_leased',1,1795663865086,'{"event":"attempt_leased","attempt":{"run":1,"task":0,"number":1},"agent":"command","epoch":1,"workspace":1,"timeout_ms":600000}');
INSERT INTO "events" VALUES(5,1,3,'attempt_started',1,1795663865131,'{"event":"attempt_started","attempt":{"run":1,"task":0,"number":1},"confined":true}');
INSERT INTO "events" VALUES(6,1,4,'attempt_advanced',1,1795663865147,'{"event":"attempt_advanced","attempt":{"run":1,"task":0,"number":1},"receipts":[{"step":"submitted","at":1795663865147,"command":"true","exit":{"status":0},"wall_ms":11,"confined":true},{"step":"collected","at":1795663865147},{"step":"verified","at":1795663865147,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865147}]}');
INSERT INTO "events" VALUES(7,-1,3,'settled',1,1795663865147,'{"event":"settled","attempt":{"run":1,"task":0,"number":1},"used":{"attempts":1,"time_ms":11}}');
INSERT INTO "events" VALUES(8,-1,4,'reserved',1,1795663865147,'{"event":"reserved","attempt":{"run":1,"task":1,"number":1},"amount":{"attempts":1,"time_ms":599989},"accounts":[{"run":1}]}');
INSERT INTO "events" VALUES(9,1,5,'attempt_leased',1,1795663865147,'{"event":"attempt_leased","attempt":{"run":1,"task":1,"number":1},"agent":"command","epoch":1,"workspace":1,"timeout_ms":599989}');
INSERT INTO "events" VALUES(10,1,6,'attempt_advanced',1,1795663865155,'{"event":"attempt_advanced","attempt":{"run":1,"task":1,"number":1},"receipts":[{"step":"submitted","at":1795663865155,"command":"true","exit":{"status":0},"wall_ms":3,"confined":true},{"step":"collected","at":1795663865155},{"step":"verified","at":1795663865155,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865155}]}');
INSERT INTO "events" VALUES(11,1,7,'run_ended',1,1795663865155,'{"event":"run_ended","status":"succeeded"}');
INSERT INTO "events" VALUES(12,-1,5,'settled',1,1795663865155,'{"event":"settled","attempt":{"run":1,"task":1,"number":1},"used":{"attempts":1,"time_ms":3}}');
INSERT INTO "events" VALUES(13,2,1,'run_created',1,1795663865259,'{"event":"run_created","plan":{"title":"Bounded","tasks":[{"id":"a","title":"a","work":{"command":["true"]},"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}},{"id":"b","title":"b","work":{"command":["true"]},"dependencies":["a"],"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}}]},"settings":{"workers_max":4,"role_limits":{},"agent_limits":{},"agent_default":"person","failures_max":3,"reassign_after":2,"losses_max":5,"conflicts_max":5,"loss_delay_ms":1000,"limits_max":20,"limit_delay_ms":60000,"limit_wait_max_ms":86400000,"timeout_ms":1800000,"barriers":false,"batch_max":8,"budget":{"attempts":null,"time_ms":null}},"base":{"commit":"2666dcda67659cd441e911958fbe663d9c05782c","described":"master (2666dcda6765)","uncommitted":["plan.json"],"included":false},"approved":true}');
INSERT INTO "events" VALUES(14,2,2,'attempt_leased',1,1795663865262,'{"event":"attempt_leased","attempt":{"run":2,"task":0,"number":1},"agent":"command","epoch":2,"workspace":1}');
INSERT INTO "events" VALUES(15,2,3,'attempt_started',1,1795663865306,'{"event":"attempt_started","attempt":{"run":2,"task":0,"number":1},"confined":true}');
INSERT INTO "events" VALUES(16,2,4,'attempt_advanced',1,1795663865320,'{"event":"attempt_advanced","attempt":{"run":2,"task":0,"number":1},"receipts":[{"step":"submitted","at":1795663865320,"command":"true","exit":{"status":0},"wall_ms":8,"confined":true},{"step":"collected","at":1795663865320},{"step":"verified","at":1795663865320,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865320}]}');
INSERT INTO "events" VALUES(17,2,5,'attempt_leased',1,1795663865320,'{"event":"attempt_leased","attempt":{"run":2,"task":1,"number":1},"agent":"command","epoch":2,"workspace":1}');
INSERT INTO "events" VALUES(18,2,6,'attempt_advanced',1,1795663865335,'{"event":"attempt_advanced","attempt":{"run":2,"task":1,"number":1},"receipts":[{"step":"submitted","at":1795663865335,"command":"true","exit":{"status":0},"wall_ms":7,"confined":true},{"step":"collected","at":1795663865335},{"step":"verified","at":1795663865335,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865335}]}');
INSERT INTO "events" VALUES(19,2,7,'run_ended',1,1795663865335,'{"event":"run_ended","status":"succeeded"}');
INSERT INTO "events" VALUES(20,3,1,'run_created',1,1795663865387,'{"event":"run_created","plan":{"title":"Bounded","tasks":[{"id":"a","title":"a","work":{"command":["true"]},"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}},{"id":"b","title":"b","work":{"command":["true"]},"dependencies":["a"],"criteria":["exit_status"],"workspace":"shared","ok_exit":[0],"estimate":{}}]},"settings":{"workers_max":4,"role_limits":{},"agent_limits":{},"agent_default":"person","failures_max":3,"reassign_after":2,"losses_max":5,"conflicts_max":5,"loss_delay_ms":1000,"limits_max":20,"limit_delay_ms":60000,"limit_wait_max_ms":86400000,"timeout_ms":1800000,"barriers":false,"batch_max":8,"budget":{"attempts":1,"time_ms":null}},"base":{"commit":"2666dcda67659cd441e911958fbe663d9c05782c","described":"master (2666dcda6765)","uncommitted":["plan.json"],"included":false},"approved":true}');
INSERT INTO "events" VALUES(21,-1,6,'account_opened',1,1795663865387,'{"event":"account_opened","account":{"run":3},"budget":{"attempts":1,"time_ms":null}}');
INSERT INTO "events" VALUES(22,-1,7,'reserved',1,1795663865395,'{"event":"reserved","attempt":{"run":3,"task":0,"number":1},"amount":{"attempts":1,"time_ms":1800000},"accounts":[{"run":3}]}');
INSERT INTO "events" VALUES(23,3,2,'attempt_leased',1,1795663865395,'{"event":"attempt_leased","attempt":{"run":3,"task":0,"number":1},"agent":"command","epoch":3,"workspace":1}');
INSERT INTO "events" VALUES(24,3,3,'attempt_started',1,1795663865449,'{"event":"attempt_started","attempt":{"run":3,"task":0,"number":1},"confined":true}');
INSERT INTO "events" VALUES(25,3,4,'attempt_advanced',1,1795663865458,'{"event":"attempt_advanced","attempt":{"run":3,"task":0,"number":1},"receipts":[{"step":"submitted","at":1795663865458,"command":"true","exit":{"status":0},"wall_ms":3,"confined":true},{"step":"collected","at":1795663865458},{"step":"verified","at":1795663865458,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865458}]}');
INSERT INTO "events" VALUES(26,-1,8,'settled',1,1795663865458,'{"event":"settled","attempt":{"run":3,"task":0,"number":1},"used":{"attempts":1,"time_ms":3}}');
INSERT INTO "events" VALUES(27,3,5,'run_paused',2,1795663865458,'{"event":"run_paused","reason":{"budget":{"account":{"run":3},"bound":{"attempts":1}}}}');
CREATE TABLE ledger(
        one  INTEGER PRIMARY KEY CHECK(one = 1),
        seq  INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
INSERT INTO "ledger" VALUES(1,8,'{"accounts":[[{"run":1},{"budget":{"attempts":2,"time_ms":600000},"used":{"attempts":2,"time_ms":14},"held":{"attempts":0,"time_ms":0}}],[{"run":3},{"budget":{"attempts":1,"time_ms":null},"used":{"attempts":1,"time_ms":3},"held":{"attempts":0,"time_ms":0}}]],"held":[]}');
CREATE TABLE meta(
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('projection_version','3');
CREATE TABLE runs(
        run    INTEGER PRIMARY KEY,
        title  TEXT NOT NULL,
        status TEXT NOT NULL,
        seq    INTEGER NOT NULL,
        body   TEXT NOT NULL
    ) STRICT;
INSERT INTO "runs" VALUES(1,'Bounded','succeeded',7,'{"status":"succeeded","approved":true,"paused":null,"canceling":false,"ended":["succeeded",1795663865155],"integration":{"head":"2666dcda67659cd441e911958fbe663d9c05782c","queue":[],"prepared":[],"batch":8},"finally":"open","last_at":1795663865155,"created_at":1795663865083,"counts":[0,0,0,0,0,0,2,0,0,0,0],"owes":false}');
INSERT INTO "runs" VALUES(2,'Bounded','succeeded',7,'{"status":"succeeded","approved":true,"paused":null,"canceling":false,"ended":["succeeded",1795663865335],"integration":{"head":"2666dcda67659cd441e911958fbe663d9c05782c","queue":[],"prepared":[],"batch":8},"finally":"open","last_at":1795663865335,"created_at":1795663865259,"counts":[0,0,0,0,0,0,2,0,0,0,0],"owes":false}');
INSERT INTO "runs" VALUES(3,'Bounded','running',5,'{"status":"running","approved":true,"paused":{"budget":{"account":{"run":3},"bound":{"attempts":1}}},"canceling":false,"ended":null,"integration":{"head":"2666dcda67659cd441e911958fbe663d9c05782c","queue":[],"prepared":[],"batch":8},"finally":"open","last_at":1795663865458,"created_at":1795663865387,"counts":[0,1,0,0,0,0,1,0,0,0,0],"owes":false}');
CREATE TABLE tasks(
        key      INTEGER PRIMARY KEY,
        id       TEXT NOT NULL,
        status   TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        body     TEXT NOT NULL
    ) STRICT;
INSERT INTO "tasks" VALUES(4294967296,'a','done',1,'{"state":"done","endings":[{"number":1,"agent":"command","leased_at":1795663865086,"ended_at":1795663865147,"workspace":1,"workspace_kept":false,"end":"integrated","confined":true,"receipts":[{"step":"submitted","at":1795663865147,"command":"true","exit":{"status":0},"wall_ms":11,"confined":true},{"step":"collected","at":1795663865147},{"step":"verified","at":1795663865147,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865147}]}]}');
INSERT INTO "tasks" VALUES(4294967297,'b','done',1,'{"state":"done","endings":[{"number":1,"agent":"command","leased_at":1795663865147,"ended_at":1795663865155,"workspace":1,"workspace_kept":false,"end":"integrated","confined":true,"receipts":[{"step":"submitted","at":1795663865155,"command":"true","exit":{"status":0},"wall_ms":3,"confined":true},{"step":"collected","at":1795663865155},{"step":"verified","at":1795663865155,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865155}]}]}');
INSERT INTO "tasks" VALUES(8589934592,'a','done',1,'{"state":"done","endings":[{"number":1,"agent":"command","leased_at":1795663865262,"ended_at":1795663865320,"workspace":1,"workspace_kept":false,"end":"integrated","confined":true,"receipts":[{"step":"submitted","at":1795663865320,"command":"true","exit":{"status":0},"wall_ms":8,"confined":true},{"step":"collected","at":1795663865320},{"step":"verified","at":1795663865320,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865320}]}]}');
INSERT INTO "tasks" VALUES(8589934593,'b','done',1,'{"state":"done","endings":[{"number":1,"agent":"command","leased_at":1795663865320,"ended_at":1795663865335,"workspace":1,"workspace_kept":false,"end":"integrated","confined":true,"receipts":[{"step":"submitted","at":1795663865335,"command":"true","exit":{"status":0},"wall_ms":7,"confined":true},{"step":"collected","at":1795663865335},{"step":"verified","at":1795663865335,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865335}]}]}');
INSERT INTO "tasks" VALUES(12884901888,'a','done',1,'{"state":"done","endings":[{"number":1,"agent":"command","leased_at":1795663865395,"ended_at":1795663865458,"workspace":1,"workspace_kept":false,"end":"integrated","confined":true,"receipts":[{"step":"submitted","at":1795663865458,"command":"true","exit":{"status":0},"wall_ms":3,"confined":true},{"step":"collected","at":1795663865458},{"step":"verified","at":1795663865458,"verdicts":[{"criterion":0,"outcome":"pass"}]},{"step":"integrated","at":1795663865458}]}]}');
CREATE UNIQUE INDEX events_by_stream ON events(stream, seq);
COMMIT;
