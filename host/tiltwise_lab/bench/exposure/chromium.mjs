// Opens a page from a file in headless Chromium and prints as JSON what it asked for, said and ran.
// node chromium.mjs PROGRAM PAGE PROFILE
import { spawn } from "node:child_process";

const [, , program, page, profile] = process.argv;
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--single-process", "--no-zygote", "--use-gl=angle",
  "--use-angle=swiftshader", `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"];
const browser = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe"] });
let said = "";
const address = await new Promise((found, failed) => {
  browser.stderr.on("data", (data) => {
    said += data;
    const match = said.match(/ws:\/\/\S+/);
    if (match) found(match[0]);
  });
  browser.on("exit", () => failed(new Error(said)));
});
const socket = new WebSocket(address);
await new Promise((open) => (socket.onopen = open));
const waiting = {};
const events = [];
let loaded;
const isLoaded = new Promise((done) => (loaded = done));
let id = 0;
socket.onmessage = (message) => {
  const told = JSON.parse(message.data);
  if (told.id) waiting[told.id](told.result);
  else events.push(told);
  if (told.method === "Page.loadEventFired") loaded();
};
const call = (method, params, sessionId) => new Promise((done) => {
  waiting[++id] = done;
  socket.send(JSON.stringify({ id, method, params: params ?? {}, sessionId }));
});
const { targetId } = await call("Target.createTarget", { url: "about:blank" });
const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
for (const domain of ["Page", "Network", "Log", "Runtime"]) await call(`${domain}.enable`, {}, sessionId);
await call("Page.navigate", { url: `file://${page}` }, sessionId);
await isLoaded;
const of = (method) => events.filter((event) => event.method === method).map((event) => event.params);
const evaluated = async (expression) =>
  (await call("Runtime.evaluate", { expression, returnByValue: true }, sessionId)).result.value;
console.log(JSON.stringify({
  requests: of("Network.requestWillBeSent").map((each) => each.request.url).filter((url) => !url.startsWith("data:")),
  log: of("Log.entryAdded").map((each) => each.entry.text),
  dialogs: of("Page.javascriptDialogOpening").length,
  scripts: await evaluated("document.scripts.length"),
  is_unmarked: await evaluated("window.marked === undefined"),
  images: await evaluated("[...document.images].map((each) => [each.naturalWidth, each.alt.length])"),
  overflow_px: await evaluated("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
  paint_ms: await evaluated("performance.getEntriesByType('paint').map((each) => each.startTime)[0] ?? null"),
  pdf_bytes: ((await call("Page.printToPDF", { preferCSSPageSize: true }, sessionId))?.data ?? "").length,
}));
browser.kill("SIGKILL");
process.exit(0);
