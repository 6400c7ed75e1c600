/** What `inside.ts` does, for images that have Python and no Node; without joining a room. */
export const PYTHON_PROGRAM = `
import http.client, json, ssl, sys
from urllib.parse import urlsplit

CODES = {111: "ECONNREFUSED", 113: "EHOSTUNREACH", 101: "ENETUNREACH", 104: "ECONNRESET"}

def code_of(error):
    if isinstance(error, TimeoutError):
        return "ETIMEDOUT"
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS failed"
    if type(error).__name__ == "gaierror":
        return "ENOTFOUND"
    return CODES.get(getattr(error, "errno", None), str(error) or type(error).__name__)

def ask(url, headers):
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname, parts.port, timeout=6)
        connection.request("GET", parts.path or "/", headers=headers)
        answer = connection.getresponse()
        return {"status": answer.status, "nonce": answer.getheader("x-room-launcher-doctor")}
    except Exception as error:
        return {"error": code_of(error)}

def dial(door):
    return ask(door["url"], {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Authorization": "Bearer " + door["token"],
    })

job = json.load(sys.stdin)
print(json.dumps({
    "gateway": job["gateway"] and dial(job["gateway"]),
    "livekit": job["livekit"] and ask(job["livekit"], {}),
    "media": job["room"] and {"missing": True},
}))
`;
