// OpenAI's own SDK.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import OpenAI from 'openai';

import { baseURL, calls, clearFaults, fault, token } from '../instance.mjs';

const client = new OpenAI({ baseURL, apiKey: token, maxRetries: 0, timeout: 60_000 });
const user = (content) => [{ role: 'user', content }];
const rain = 'Tell me something about rain, in several words.';
const vendors = { openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' };

const weather = {
  type: 'function',
  function: {
    name: 'get_weather', description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

afterEach(clearFaults);

// unhandled collects the rejections that nobody handles while the work is done, and shortly after it.
async function unhandled(work) {
  const found = [];
  const note = (reason) => found.push(reason);
  process.on('unhandledRejection', note);
  try {
    await work();
    await pause(200);
  } finally {
    process.off('unhandledRejection', note);
  }
  return found;
}

test('a completion, and its id in the headers', async () => {
  const { data, response } = await client.chat.completions.create({ model: 'gpt-4.1', messages: user('Hello') }).withResponse();
  assert.equal(data.choices[0].message.content, '[openai/gpt-4.1] You said: Hello');
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.ok(data.usage.total_tokens > 0);
  assert.equal(response.headers.get('x-holdfast-completion-id'), data.id);
  assert.equal((await client.chat.completions.retrieve(data.id)).choices[0].message.content, data.choices[0].message.content);
});

for (const [vendor, model] of Object.entries(vendors)) {
  test(`a streamed text of ${model}`, async () => {
    // Pieces that come at once may be read as one: this vendor takes its time.
    await fault(vendor, { slow_bytes: 4000, count: 1, match: { model } });
    const stream = await client.chat.completions.create({
      model, messages: user(rain), stream: true, stream_options: { include_usage: true },
    });
    let text = '';
    const pieces = [];
    const finishes = [];
    const usages = [];
    const ids = new Set();
    for await (const chunk of stream) {
      ids.add(chunk.id);
      const choice = chunk.choices[0];
      if (choice?.delta.content) pieces.push(choice.delta.content);
      if (choice?.finish_reason) finishes.push(choice.finish_reason);
      if (chunk.usage) usages.push(chunk.usage);
      text += choice?.delta.content ?? '';
    }
    assert.match(text, new RegExp(`^\\[\\w+/${model}\\] You said: ${rain}$`));
    assert.ok(pieces.length > 1, 'the text came in one piece');
    assert.deepEqual(finishes, ['stop']);
    assert.equal(usages.length, 1);
    assert.ok(usages[0].prompt_tokens > 0 && usages[0].completion_tokens > 0);
    assert.equal(ids.size, 1);
  });

  test(`tool calls of ${model}, put together by the SDK`, async () => {
    const stream = client.chat.completions.stream({ model, messages: user('Call the tool get_weather.'), tools: [weather] });
    let heard = '';
    stream.on('tool_calls.function.arguments.delta', (event) => {
      assert.equal(event.name, 'get_weather');
      heard += event.arguments_delta;
    });
    const whole = await stream.finalChatCompletion();
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    const [call] = whole.choices[0].message.tool_calls;
    assert.equal(whole.choices[0].message.tool_calls.length, 1);
    assert.ok(call.id);
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });
    assert.equal(heard, call.function.arguments);
  });

  test(`a tool is run and its result sent back, streamed from ${model}`, async () => {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model, stream: true, messages: user('Call the tool get_weather.'),
      tools: [{
        type: 'function',
        function: { ...weather.function, parse: JSON.parse, function: ({ city }) => { asked.push(city); return 'wet, 9 degrees'; } },
      }],
    });
    assert.match(await runner.finalContent(), /The tool answered: .*wet, 9 degrees/);
    assert.deepEqual(asked, ['Paris']);
  });
}

test('thoughts come before the text', async () => {
  const stream = await client.chat.completions.create({
    model: 'claude-sonnet-4-5', messages: user(rain), stream: true, reasoning_effort: 'low',
  });
  let thoughts = '';
  let text = '';
  for await (const { choices: [choice] } of stream) {
    if (choice?.delta.reasoning_content) {
      assert.equal(text, '', 'a thought after the text');
      thoughts += choice.delta.reasoning_content;
    }
    text += choice?.delta.content ?? '';
  }
  assert.match(thoughts, /The user says: Tell me something about rain/);
  assert.match(text, /You said: Tell me something about rain/);
});

test('a failure before the first word has its status, streamed or not', async () => {
  for (const stream of [false, true]) {
    await assert.rejects(client.chat.completions.create({ model: 'nobody', messages: user('Hello'), stream }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError, error.constructor.name);
      assert.equal(error.status, 404);
      assert.equal(error.code, 'model_not_found');
      return true;
    });
    await assert.rejects(client.chat.completions.create({ model: 'demo', messages: user('Hello'), stream, temperature: 'hot' }), OpenAI.BadRequestError);
    const stranger = new OpenAI({ baseURL, apiKey: 'hf-nobody', maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create({ model: 'demo', messages: user('Hello'), stream }), OpenAI.AuthenticationError);
  }
});

test('a provider that fails before its first word is replaced unseen', async () => {
  for (const what of [
    { status: 503 }, { status: 503, stream: { kind: 'error' } }, { stream: { kind: 'empty' } }, { stream: { kind: 'cut' } },
  ]) {
    await fault('openai', { ...what, count: 1, match: { model: 'gpt-4.1' } });
    const whole = await client.chat.completions.stream({ model: 'demo', messages: user('Hello') }).finalChatCompletion();
    assert.equal(whole.choices[0].message.content, '[anthropic/claude-sonnet-4-5] You said: Hello', JSON.stringify(what));
    assert.equal(whole.choices[0].finish_reason, 'stop');
  }
});

test('a stream that breaks in the middle, and is to fail then, throws and keeps what was said', async () => {
  await fault('openai', { status: 503, stream: { kind: 'error', after: 2 }, match: { model: 'gpt-4.1' } });
  const found = await unhandled(async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4.1', messages: user(rain), stream: true, holdfast: { on_stream_failure: 'fail' },
    });
    let text = '';
    await assert.rejects(async () => {
      for await (const { choices: [choice] } of stream) {
        text += choice?.delta.content ?? '';
        assert.equal(choice?.finish_reason ?? null, null, 'an end was invented');
      }
    }, (error) => {
      assert.ok(error instanceof OpenAI.APIError, error.constructor.name);
      assert.ok(error.message);
      return true;
    });
    assert.match(text, /^\[openai\/gpt-4\.1\] You said: /);
  });
  assert.deepEqual(found, []);
});

test('a stream that breaks in the middle throws from the helper, too', async () => {
  await fault('openai', { stream: { kind: 'cut', after: 2 }, match: { model: 'gpt-4.1' } });
  const found = await unhandled(async () => {
    await assert.rejects(client.chat.completions.stream({
      model: 'gpt-4.1', messages: user(rain), holdfast: { on_stream_failure: 'fail' },
    }).finalChatCompletion(), OpenAI.OpenAIError);
  });
  assert.deepEqual(found, []);
});

test('a stream that breaks in the middle is gone on with by the next provider', async () => {
  for (const kind of ['error', 'cut', 'reset']) {
    await fault('openai', { ...(kind === 'error' && { status: 503 }), stream: { kind, after: 3 }, count: 1, match: { model: 'gpt-4.1' } });
    const whole = await client.chat.completions.stream({ model: 'demo', messages: user(rain), stream_options: { include_usage: true } }).finalChatCompletion();
    assert.match(whole.choices[0].message.content, /^\[.*\] You said: Tell me something about rain, in several words\.$/, kind);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.ok(whole.usage.completion_tokens > 5);
  }
});

test('a client that lost its stream goes on with it behind the last place that it has seen', async () => {
  await fault('openai', { slow_bytes: 2000, count: 1, match: { model: 'gpt-4.1' } });
  const stream = await client.chat.completions.create(
    { model: 'gpt-4.1', messages: user(`${rain} ${rain}`), stream: true }, { headers: { 'Idempotency-Key': `lost-${Date.now()}` } },
  );
  let id, place, text = '';
  for await (const chunk of stream) {
    [id, place] = [chunk.id, chunk.sequence_number ?? place];
    text += chunk.choices[0].delta.content ?? '';
    if (text.length > 40) break;
  }
  const rest = await client.get(`/chat/completions/${id}`, { query: { stream: true, starting_after: place }, stream: true });
  let finish;
  for await (const chunk of rest) {
    assert.ok(chunk.sequence_number > place, 'a place came twice');
    place = chunk.sequence_number;
    text += chunk.choices[0]?.delta.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  assert.equal(text, `[openai/gpt-4.1] You said: ${rain} ${rain}`);
  assert.equal(finish, 'stop');
});

test('a client that leaves in the middle meets no rejection that it did not ask for', async () => {
  await fault('openai', { slow_bytes: 1000, count: 1, match: { model: 'gpt-4.1' } });
  const found = await unhandled(async () => {
    const leaving = new AbortController();
    const stream = await client.chat.completions.create({ model: 'gpt-4.1', messages: user(rain), stream: true }, { signal: leaving.signal });
    let finished = false;
    for await (const { choices: [choice] } of stream) {
      if (choice?.delta.content) leaving.abort();
      finished ||= Boolean(choice?.finish_reason);
    }
    assert.ok(!finished, 'the stream had ended before it was left');
  });
  assert.deepEqual(found, []);
  const next = await client.chat.completions.create({ model: 'gpt-4.1', messages: user('Are you there?') });
  assert.match(next.choices[0].message.content, /Are you there\?$/, 'holdfast serves on');
});

test('a repetition with the same key is answered, not asked again', async () => {
  const params = { model: 'gpt-4.1', messages: user('Only once.') };
  const options = { headers: { 'Idempotency-Key': `js-${Date.now()}-${Math.random()}` } };
  const before = (await calls('openai')).length;
  const first = await client.chat.completions.create(params, options);
  const second = await client.chat.completions.create(params, options);
  assert.deepEqual(second, first);
  assert.equal((await calls('openai')).length, before + 1);
});

test('routes and embeddings', async () => {
  const routes = [];
  for await (const route of client.models.list()) routes.push(route.id);
  for (const expected of ['demo', ...Object.values(vendors)]) assert.ok(routes.includes(expected), expected);
  // The SDK asks for base64 by itself, and decodes it.
  const { data } = await client.embeddings.create({ model: 'demo-embeddings', input: ['one', 'two'] });
  assert.equal(data.length, 2);
  assert.ok(data[0].embedding.length > 100 && data[0].embedding.every(Number.isFinite));
});
