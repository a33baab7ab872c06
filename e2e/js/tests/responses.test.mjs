// OpenAI's own SDK, by Responses and Conversations.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import OpenAI from 'openai';

import { baseURL, calls, clearFaults, fault, token } from '../instance.mjs';

const client = new OpenAI({ baseURL, apiKey: token, maxRetries: 0, timeout: 60_000 });
const rain = 'Tell me something about rain, in several words.';
const vendors = { openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' };
const tools = ['get_weather', 'get_traffic'].map((name) => ({
  type: 'function', name, description: 'What there is in a city', strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}));
// run answers the calls of a response as an agent's loop does.
const run = (response) => response.output.filter((item) => item.type === 'function_call').map((call) => ({
  type: 'function_call_output', call_id: call.call_id, output: `${call.name}: wet in ${JSON.parse(call.arguments).city}`,
}));

afterEach(clearFaults);

for (const [vendor, model] of Object.entries(vendors)) {
  test(`a response of ${model}, read and deleted`, async () => {
    const response = await client.responses.create({ model, input: 'Hello', instructions: 'Be brief.', metadata: { purpose: 'proof' } });
    assert.equal(response.output_text, `[${vendor}/${model}] You said: Hello`);
    assert.equal(response.status, 'completed');
    assert.deepEqual(response.metadata, { purpose: 'proof' });
    assert.ok(response.usage.total_tokens > 0);
    assert.equal((await client.responses.retrieve(response.id)).output_text, response.output_text);
    const listed = [];
    for await (const item of client.responses.inputItems.list(response.id, { limit: 1 })) listed.push(item);
    assert.deepEqual(listed.map((item) => item.content[0].text), ['Hello']);
    await client.responses.delete(response.id);
    await assert.rejects(client.responses.retrieve(response.id), OpenAI.NotFoundError);
    await assert.rejects(client.responses.create({ model, input: 'x', previous_response_id: response.id }), (error) => {
      assert.equal(error.code, 'previous_response_not_found');
      return true;
    });
  });

  test(`a streamed response of ${model}, and the rest of it from everywhere`, async () => {
    const stream = await client.responses.create({ model, input: rain, stream: true });
    const events = [];
    for await (const event of stream) events.push(event);
    assert.equal(events[0].type, 'response.created');
    const final = events.at(-1);
    assert.equal(final.type, 'response.completed');
    const text = (list) => list.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join('');
    assert.equal(text(events), `[${vendor}/${model}] You said: ${rain}`);
    for (let i = 0; i + 1 < events.length; i += 3) {
      const rest = [];
      for await (const event of await client.responses.retrieve(final.response.id, { stream: true, starting_after: events[i].sequence_number })) rest.push(event);
      assert.equal(text(events.slice(0, i + 1)) + text(rest), text(events), `behind ${events[i].type}`);
      assert.equal(rest.at(-1).type, 'response.completed');
      assert.ok(rest.every((event) => event.sequence_number > events[i].sequence_number));
    }
  });

  test(`responses.stream of ${model} puts it together`, async () => {
    const stream = client.responses.stream({ model, input: rain, tools });
    let deltas = '';
    stream.on('response.output_text.delta', (event) => { deltas += event.delta; });
    const final = await stream.finalResponse();
    assert.equal(final.output_text, `[${vendor}/${model}] You said: ${rain}`);
    assert.equal(deltas, final.output_text);
  });

  for (const streamed of [false, true]) {
    test(`a loop of tools with ${model}${streamed ? ', streamed' : ''}`, async () => {
      const ask = (body) => (streamed ? client.responses.stream({ model, tools, ...body }).finalResponse() : client.responses.create({ model, tools, ...body }));
      let response = await ask({ input: 'Please call the tools get_weather and get_traffic.' });
      assert.equal(run(response).length, 2);
      const items = [{ role: 'user', content: 'Please call the tools get_weather and get_traffic.' }, ...response.output, ...run(response)];
      response = await ask({ previous_response_id: response.id, input: run(response) });
      assert.match(response.output_text, /get_weather: wet in Paris/);
      assert.match(response.output_text, /get_traffic: wet in Paris/);
      response = await ask({ input: items, store: false });
      assert.match(response.output_text, /get_weather: wet in Paris/);
    });
  }
}

test('a response by a schema is parsed', async () => {
  const response = await client.responses.parse({
    model: 'gpt-4.1', input: 'A city.',
    text: { format: { type: 'json_schema', name: 'city', strict: true, schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false } } },
  });
  assert.equal(typeof response.output_parsed.name, 'string');
});

test('a response in the background, polled and cancelled', async () => {
  await fault('openai', { latency: '1s', match: { model: 'gpt-4.1' } });
  let response = await client.responses.create({ model: 'gpt-4.1', input: 'Take your time', background: true });
  while (['queued', 'in_progress'].includes(response.status)) {
    await pause(100);
    response = await client.responses.retrieve(response.id);
  }
  assert.equal(response.output_text, '[openai/gpt-4.1] You said: Take your time');
  await clearFaults();
  await fault('openai', { hang: true, match: { model: 'gpt-4.1' } });
  const hanging = await client.responses.create({ model: 'gpt-4.1', input: 'never answered', background: true });
  assert.equal((await client.responses.cancel(hanging.id)).status, 'cancelled');
  assert.equal((await client.responses.retrieve(hanging.id)).status, 'cancelled');
});

test('a conversation, its items, and responses in it', async () => {
  const conversation = await client.conversations.create({ metadata: { topic: 'rain' }, items: [{ type: 'message', role: 'user', content: 'first of all' }] });
  assert.deepEqual((await client.conversations.update(conversation.id, { metadata: { topic: 'snow' } })).metadata, { topic: 'snow' });
  for (const model of Object.values(vendors)) {
    const asked = await client.responses.create({ model, conversation: conversation.id, tools, input: 'Please call the tool get_weather.' });
    const answered = await client.responses.create({ model: 'gpt-4.1', conversation: conversation.id, tools, input: run(asked) });
    assert.match(answered.output_text, /get_weather: wet in Paris/);
  }
  const types = [];
  for await (const item of client.conversations.items.list(conversation.id, { limit: 2, order: 'asc' })) types.push(item.type);
  assert.deepEqual(types, ['message', ...Array(3).fill(['message', 'function_call', 'function_call_output', 'message']).flat()]);
  const [last] = (await client.conversations.items.list(conversation.id, { limit: 1 })).data;
  assert.match(last.content[0].text, /get_weather: wet in Paris/);
  assert.equal((await client.conversations.items.retrieve(last.id, { conversation_id: conversation.id })).id, last.id);
  await client.conversations.items.delete(last.id, { conversation_id: conversation.id });
  await assert.rejects(client.conversations.items.retrieve(last.id, { conversation_id: conversation.id }), OpenAI.NotFoundError);
  assert.equal((await client.conversations.delete(conversation.id)).deleted, true);
  await assert.rejects(client.conversations.retrieve(conversation.id), OpenAI.NotFoundError);
});

test('input tokens are counted', async () => {
  const { input_tokens: short } = await client.responses.inputTokens.count({ model: 'gpt-4.1', input: 'Hello' });
  const { input_tokens: long } = await client.responses.inputTokens.count({ model: 'gpt-4.1', input: 'Hello, I have more to say. '.repeat(50) });
  assert.ok(short > 0 && long > short + 200);
});

test('what is not served is refused by name', async () => {
  await assert.rejects(client.responses.create({ model: 'nobody', input: 'Hello' }), OpenAI.NotFoundError);
  await assert.rejects(client.responses.create({ model: 'gpt-4.1', input: 'Hello', tools: [{ type: 'web_search' }] }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.match(error.message, /web_search/);
    return true;
  });
});

test('no vendor was sent what it refuses', async () => {
  for (const vendor of Object.keys(vendors)) {
    assert.deepEqual((await calls(vendor)).filter((call) => call.status === 400), []);
  }
});
