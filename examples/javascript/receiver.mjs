// A receiver of Tradewind's deliveries, with what Node 18 has built in.
//
//     WEBHOOK_SECRET=whsec_... WEBHOOK_PROFILE=synq node receiver.mjs 8081
//
// WEBHOOK_SECRET may hold several secrets parted by blanks: during a rotation, the old and the new one. A public key
// (whpk_...) checks the Ed25519 signatures of a subscription that was made with "signature": "ed25519".

import { createHmac, createPublicKey, timingSafeEqual, verify as verifySignature } from "node:crypto";
import { createServer } from "node:http";

// The header that a profile has beside the webhook-* ones, which every delivery carries.
const profileHeaders = {
    synq: "synq-signature",
    synthesq: "x-webhook-signature",
    synctec: "x-storelink-signature",
    standard: null,
};
const toleranceSeconds = 300;
const bodyBytesMost = 2 << 20;
const idsMost = 10_000;
const waitingMost = 1000;

/** Why a request is not accepted. For the log: a stranger is told none of it. */
class Refused extends Error {}

/** Takes as long for a near miss as for a far one; only the length, which is no secret, ends it early. */
function isEqual(expected, received) {
    return expected.length === received.length && timingSafeEqual(expected, received);
}

/** The bytes of a base64 text; null for anything else, which Buffer would read as far as it can. */
function decoded(text) {
    const bytes = Buffer.from(text, "base64");
    return bytes.length > 0 && bytes.toString("base64") === text ? bytes : null;
}

/** The key of v1 signatures: what the base64 text behind whsec_ stands for, or the text itself where it is none. */
function standardKey(secret) {
    return decoded(secret.startsWith("whsec_") ? secret.slice(6) : secret) ?? Buffer.from(secret);
}

function publicKey(text) {
    const bytes = decoded(text.slice("whpk_".length));
    if (bytes?.length !== 32) throw new Error("a public key is whpk_ and the base64 text of 32 bytes");
    return createPublicKey({
        key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") },
        format: "jwk",
    });
}

/** Throws Refused unless the bytes of the body were signed with one of the secrets, and lately. */
function verify(headers, body, secrets, profile, now) {
    // 1. The three headers of Standard Webhooks. They cover the id and the time, so an old delivery can't be replayed.
    const id = headers["webhook-id"] ?? "";
    const timestamp = headers["webhook-timestamp"] ?? "";
    if (id === "" || !/^\d{1,12}$/.test(timestamp)) {
        throw new Refused("webhook-id or webhook-timestamp is missing or malformed");
    }
    if (Math.abs(now - Number(timestamp)) > toleranceSeconds) {
        throw new Refused("the time of signing is too far away from now");
    }
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    const entries = (headers["webhook-signature"] ?? "").split(" ").map((entry) => entry.split(","));
    let good = false;
    for (const secret of secrets) {
        const isPublic = secret.startsWith("whpk_");
        const expected = isPublic ? null : createHmac("sha256", standardKey(secret)).update(signed).digest();
        for (const [version, value] of entries) {
            const received = decoded(value ?? "");
            if (received === null || version !== (isPublic ? "v1a" : "v1")) continue;
            const fits = isPublic
                ? received.length === 64 && verifySignature(null, signed, publicKey(secret), received)
                : isEqual(expected, received);
            good = fits || good;
        }
    }
    if (!good) throw new Refused("webhook-signature fits no secret");

    // 2. The profile's own header: lower-case hexadecimal, of the body alone, under the secret's text as it stands.
    //    It needs a shared secret: a subscription with key pairs only has no such header.
    const name = profileHeaders[profile];
    const shared = secrets.filter((secret) => !secret.startsWith("whpk_"));
    if (name === null || shared.length === 0) return;
    const received = Buffer.from(headers[name] ?? "");
    good = false;
    for (const secret of shared) {
        const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
        good = isEqual(expected, received) || good;
    }
    if (!good) throw new Refused(`${name} fits no secret`);
}

// The ids that were taken, so that a repeat does nothing. This set forgets what is old, and everything at a restart. In
// earnest, make the id a unique column, and write it in the transaction of what the event does.
const seen = new Set();
const waiting = [];

/** What the event is for. It may take its time: the hub was answered already. */
async function handle(id, event) {
    console.log(`handled ${id} ${event.event_type ?? event.event ?? event.type}`);
}

let isWorking = false;
async function work() {
    if (isWorking) return;
    isWorking = true;
    while (waiting.length > 0) {
        const { id, body } = waiting.shift();
        try {
            await handle(id, JSON.parse(body));
        } catch (error) {
            console.log(`failed ${id}: ${error.message}`); // one bad event must not hold up the others
        }
    }
    isWorking = false;
}

/** The status to answer a whole request with. */
function receive(headers, body, secrets, profile) {
    try {
        verify(headers, body, secrets, profile, Date.now() / 1000);
    } catch (error) {
        if (!(error instanceof Refused)) throw error;
        console.log(`refused: ${error.message}`);
        return 401;
    }
    const id = headers["webhook-id"];
    if (seen.has(id)) {
        console.log(`repeated ${id}`);
        return 204;
    }
    if (waiting.length >= waitingMost) return 503; // the hub tries again later
    waiting.push({ id, body });
    seen.add(id);
    if (seen.size > idsMost) seen.delete(seen.values().next().value);
    // Answered before the work is done: the hub waits for ten seconds at most.
    setImmediate(work);
    return 204;
}

const secrets = (process.env.WEBHOOK_SECRET ?? "").split(/\s+/).filter((secret) => secret !== "");
const profile = process.env.WEBHOOK_PROFILE ?? "synq";
if (secrets.length === 0 || !Object.hasOwn(profileHeaders, profile)) {
    console.error(`set WEBHOOK_SECRET, and WEBHOOK_PROFILE to one of ${Object.keys(profileHeaders).join(", ")}`);
    process.exit(1);
}
// A key that can't be read is told now and not at the first delivery.
for (const secret of secrets) if (secret.startsWith("whpk_")) publicKey(secret);

const server = createServer((request, response) => {
    const pieces = [];
    let count = 0;
    request.on("data", (piece) => {
        count += piece.length;
        if (count <= bodyBytesMost) pieces.push(piece);
    });
    // The bytes as they came: JSON that is parsed and written again is not what was signed.
    request.on("end", () => {
        const isPost = request.method === "POST";
        const status = !isPost ? 405 : count > bodyBytesMost ? 413 : null;
        response.writeHead(status ?? receive(request.headers, Buffer.concat(pieces), secrets, profile)).end();
    });
    request.on("error", () => response.destroy());
});
server.listen(Number(process.argv[2] ?? 8081), "127.0.0.1", () => {
    console.log(`listening on ${server.address().port}`);
});
