// Runs every case of a JSON file and prints what the generated client made of it.
// argv: directory of the compiled client packages, file of cases.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [root, casesFile] = process.argv.slice(2);
const results = [];

for (const test of JSON.parse(await readFile(casesFile, "utf8"))) {
  const load = (name) => import(pathToFileURL(`${root}/${test.package}/${name}.js`).href);
  const [errors, client] = await Promise.all([load("errors"), load("fetch")]);
  const warnings = [];
  const warn = (message, error) => warnings.push([message, error.constructor.name]);
  const fetch = client.createFetch({ warn, ...test.options });
  const result = { raised: null, warnings };
  try {
    const init = { ...test.init };
    if (test.stream) Object.assign(init, { method: "POST", duplex: "half", body: new Blob(["x"]).stream() });
    if (test.abort) init.signal = AbortSignal.abort(new Error("the caller's own"));
    const response = await fetch(test.url, init);
    result.status = response.status;
    if (test.events) {
      result.url = response.url;
      result.seen = "";
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) result.seen += part;
      results.push(result);
      continue;
    }
    result.body = test.json ? await client.readJson(response) : await response.text();
  } catch (error) {
    const bases = [];
    for (let c = error.constructor; c && c.name; c = Object.getPrototypeOf(c)) bases.push(c.name);
    const { code, statusCode, message, type, param, requestId, retryAfter, retryable, text, payload } = error;
    Object.assign(result, {
      raised: error.constructor.name,
      bases,
      name: error.name,
      cause: error.cause?.constructor.name ?? null,
      causeText: error.cause?.text ?? null,
      documented: errors.isDocumented(error),
      details: error.details?.length,
      ...{ code, statusCode, message, type, param, requestId, retryAfter, retryable, text, payload },
    });
  }
  results.push(result);
}
console.log(JSON.stringify(results));
