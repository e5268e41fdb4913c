-- What a program of schema 2 adds: who looks when, slots, an event.
INSERT INTO work (build_id, due, looked_at, why) VALUES (1, NULL, '2024-01-02T04:04:05Z', '"Finished"') ON CONFLICT DO NOTHING;
INSERT INTO slots (build_id, held) VALUES (1, 0) ON CONFLICT DO NOTHING;
INSERT INTO events (build_id, seq, at, record)
SELECT 1, 1, '2024-01-02T03:04:05Z', '{"build":1,"seq":1,"summary":{"nsvc":"app:1.10:1:a","state":"init","reason":null,"owner":"mary","scratch":false,"scmurl":null,"strategy":"changed-and-after","koji_tag":null,"batch":0,"submitted_at":"2024-01-02T03:04:05Z","modified_at":"2024-01-02T03:04:05Z","completed_at":null,"components":[]},"transition":{"from":null,"to":"init","at":"2024-01-02T03:04:05Z","reason":null}}'
ON CONFLICT DO NOTHING;
