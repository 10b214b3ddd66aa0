// Runs one vendor's Node client, unmodified, into each of a list of cases, and tells what it threw.
//
//     node judge.mjs <directory with node_modules> <openai|anthropic|stripe>  < jobs.json  > verdicts.json
//
// A job: { name, url, maxRetries?, stream? }. A verdict: { name, result } or { name, error: {...} }.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [directory, vendor] = process.argv.slice(2);
const require = createRequire(`${directory}/package.json`);
const messages = [{ role: 'user', content: 'hi' }];

const drain = async (stream) => {
  let frames = 0;
  for await (const _ of stream) frames += 1;
  return frames;
};

const ask = {
  openai: async ({ url, maxRetries, stream }) => {
    const { OpenAI } = require('openai');
    const client = new OpenAI({ apiKey: 'k', baseURL: url, maxRetries });
    const reply = await client.chat.completions.create({ model: 'm', messages, stream });
    return stream ? drain(reply) : reply.id;
  },
  anthropic: async ({ url, maxRetries, stream }) => {
    const { Anthropic } = require('@anthropic-ai/sdk');
    const client = new Anthropic({ apiKey: 'k', baseURL: url, maxRetries });
    const reply = await client.messages.create({ model: 'm', max_tokens: 9, messages, stream });
    return stream ? drain(reply) : reply.id;
  },
  stripe: async ({ url, maxRetries }) => {
    const Stripe = require('stripe');
    const { hostname, port, pathname } = new URL(url);
    const client = new Stripe('sk_test_x', {
      host: hostname, port, protocol: 'http', maxNetworkRetries: maxRetries, telemetry: false,
    });
    const reply = await client.rawRequest('GET', `${pathname}/v1/customers/cus_1`);
    return reply.id;
  },
}[vendor];

const told = (error) => ({
  class: error.constructor.name,
  status: error.status ?? error.statusCode ?? null,
  code: error.code ?? error.errorCode ?? null,
  type: (vendor === 'stripe' ? error.rawType : error.type) ?? null,
  param: error.param ?? null,
  message: error.apiMessage ?? error.message,
  requestId: error.requestID ?? error.requestId ?? null,
  body: error.error ?? null,
});

const verdicts = await Promise.all(
  JSON.parse(readFileSync(0, 'utf8')).map(async (job) => {
    try {
      return { name: job.name, result: await ask(job) };
    } catch (error) {
      return { name: job.name, error: told(error) };
    }
  }),
);
process.stdout.write(JSON.stringify(verdicts));
