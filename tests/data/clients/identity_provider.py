"""Stands in for https://id.fedoraproject.org/openidc/, whose address some clients have built in.

    identity_provider.py CERTIFICATE

It is a proxy that leads every HTTPS request to itself. The certificate to trust is written to the file of that name. A
refresh token is worth the access token of the same name; the one called "gone" is worth nothing.
"""
import http.server
import json
import ssl
import subprocess
import sys
import urllib.parse

HOST = "id.fedoraproject.org"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        # Some ask for the tunnel as of HTTP/1.0; what goes through it follows all the same.
        self.close_connection = False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body))
        token = form.get("refresh_token")
        if (self.path, form.get("grant_type")) != ("/openidc/Token", "refresh_token"):
            self.answer(404, {"error": "invalid_request"})
        elif token == "gone":
            self.answer(200, {"error": "invalid_grant"})
        else:
            self.answer(200, {
                "access_token": token, "refresh_token": token, "token_type": "Bearer", "expires_in": 3600,
            })

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


certificate = sys.argv[1]
key = certificate + ".key"
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-subj", "/CN=" + HOST,
     "-addext", "subjectAltName=DNS:" + HOST, "-keyout", key, "-out", certificate],
    check=True, stderr=subprocess.DEVNULL)
Handler.tls.load_cert_chain(certificate, key)
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    server.daemon_threads = True
    print("http://127.0.0.1:%d" % server.server_port, flush=True)
    server.serve_forever()
