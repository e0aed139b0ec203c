// A test in a language that has no client library: `isoenv` with --json is all it needs.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import net from "node:net";
import test from "node:test";

function isoenv(...words) {
  const output = execFileSync(process.env.ISOENV_EXECUTABLE ?? "isoenv", [...words, "--json"]);
  return JSON.parse(output);
}

/** The line that comes back; "" when nobody answers for a second. */
function ask({ host, ports }, line) {
  return new Promise((resolve) => {
    const socket = net.connect(ports[0].number, host, () => socket.write(line + "\n"));
    const done = (text) => {
      socket.destroy();
      resolve(text);
    };
    let answer = "";
    socket.setTimeout(1000, () => done(""));
    socket.on("error", () => done(""));
    socket.on("data", (chunk) => {
      answer += chunk;
      if (answer.endsWith("\n")) done(answer.trimEnd());
    });
  });
}

async function leaderOf(replicas) {
  for (;;) {
    for (const replica of replicas) {
      if ((await ask(replica, "ROLE")).startsWith("leader ")) return replica;
    }
  }
}

test("another replica leads when the leader is paused", { timeout: 20000 }, async () => {
  const { services } = isoenv("env");
  const old = await leaderOf(services);
  isoenv("pause", old.service);
  assert.equal(isoenv("ps").find((row) => row.service === old.service).state, "paused");
  assert.equal(await ask(old, "ROLE"), "");
  const next = await leaderOf(services.filter((replica) => replica !== old));
  assert.notEqual(next.service, old.service);
  isoenv("resume", old.service);
});
