-- What a program of schema 7 adds: a token that was used.
INSERT INTO tokens (id, digest, record)
VALUES (1, 'abababababababababababababababababababababababababababababababab', '{"id":1,"user":"anna","scopes":["submit","cancel"],"groups":["packager"],"made_at":"2024-01-02T03:04:05Z","made_by":"root","expires_at":"2024-04-01T03:04:05Z","revoked":null,"used_at":"2024-01-02T04:04:05Z","uses":3}');
