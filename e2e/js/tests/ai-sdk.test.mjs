// Vercel's AI SDK, by its provider for servers that speak OpenAI's dialect.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { baseURL, clearFaults, fault, token } from '../instance.mjs';

const holdfast = createOpenAICompatible({ name: 'holdfast', baseURL, apiKey: token, includeUsage: true, supportsStructuredOutputs: true });
const rain = 'Tell me something about rain, in several words.';
const quiet = { maxRetries: 0, onError: () => {} };

const tools = {
  get_weather: tool({
    description: 'The weather of a city', inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `wet in ${city}`,
  }),
};

afterEach(clearFaults);

// parts are all that a stream says, by kind.
async function parts(stream) {
  const found = [];
  for await (const part of stream.fullStream) found.push(part);
  return found;
}

test('generateText', async () => {
  const { text, finishReason, usage } = await generateText({ model: holdfast('gpt-4.1'), prompt: 'Hello', maxRetries: 0 });
  assert.equal(text, '[openai/gpt-4.1] You said: Hello');
  assert.equal(finishReason, 'stop');
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
});

for (const [vendor, model] of Object.entries({ openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' })) {
  test(`streamText of ${model}`, async () => {
    // Pieces that come at once may be read as one: this vendor takes its time.
    await fault(vendor, { slow_bytes: 4000, count: 1, match: { model } });
    const stream = streamText({ model: holdfast(model), prompt: rain, ...quiet });
    const pieces = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    assert.match(pieces.join(''), new RegExp(`^\\[\\w+/${model}\\] You said: ${rain}$`));
    assert.ok(pieces.length > 1, 'the text came in one piece');
    assert.equal(await stream.finishReason, 'stop');
    assert.ok((await stream.usage).totalTokens > 0);
  });

  test(`a tool of generateText with ${model}`, async () => {
    const { text, steps } = await generateText({ model: holdfast(model), prompt: 'Call the tool get_weather.', tools, stopWhen: stepCountIs(3), maxRetries: 0 });
    assert.match(text, /The tool answered: .*wet in Paris/);
    assert.equal(steps.length, 2);
    assert.equal(steps[0].finishReason, 'tool-calls');
  });

  test(`a tool of streamText with ${model}`, async () => {
    const stream = streamText({ model: holdfast(model), prompt: 'Call the tool get_weather.', tools, stopWhen: stepCountIs(3), ...quiet });
    const found = await parts(stream);
    const results = found.filter((part) => part.type === 'tool-result');
    assert.equal(results.length, 1);
    assert.deepEqual(results[0].input, { city: 'Paris' });
    assert.match(await stream.text, /The tool answered: .*wet in Paris/);
  });
}

test('thoughts of streamText', async () => {
  const stream = streamText({ model: holdfast('claude-sonnet-4-5'), prompt: rain, providerOptions: { holdfast: { reasoningEffort: 'low' } }, ...quiet });
  assert.match(await stream.text, /You said: Tell me something about rain/);
  assert.match(await stream.reasoningText, /The user says: Tell me something about rain/);
});

test('generateObject', async () => {
  const { object } = await generateObject({ model: holdfast('gpt-4.1'), prompt: 'A city.', schema: z.object({ name: z.string(), people: z.number() }), maxRetries: 0 });
  assert.equal(typeof object.name, 'string');
  assert.equal(typeof object.people, 'number');
});

test('an unknown route', async () => {
  await assert.rejects(generateText({ model: holdfast('nobody'), prompt: 'Hello', maxRetries: 0 }), (error) => {
    assert.ok(APICallError.isInstance(error));
    assert.equal(error.statusCode, 404);
    return true;
  });
  const [error] = (await parts(streamText({ model: holdfast('nobody'), prompt: 'Hello', ...quiet }))).filter((part) => part.type === 'error');
  assert.equal(error.error.statusCode, 404);
});

test('a provider that fails before its first word is replaced unseen', async () => {
  await fault('openai', { status: 503, count: 1, match: { model: 'gpt-4.1' } });
  const stream = streamText({ model: holdfast('demo'), prompt: 'Hello', ...quiet });
  assert.equal(await stream.text, '[anthropic/claude-sonnet-4-5] You said: Hello');
});

test('a stream that breaks in the middle, and is to fail then, ends with an error after what was said', async () => {
  await fault('openai', { status: 503, stream: { kind: 'error', after: 2 }, match: { model: 'gpt-4.1' } });
  const providerOptions = { holdfast: { holdfast: { on_stream_failure: 'fail' } } };
  const found = await parts(streamText({ model: holdfast('gpt-4.1'), prompt: rain, providerOptions, ...quiet }));
  assert.match(found.filter((part) => part.type === 'text-delta').map((part) => part.text).join(''), /^\[openai\/gpt-4\.1\] You said: /);
  assert.equal(found.filter((part) => part.type === 'error').length, 1);
});

test('a stream that breaks in the middle is gone on with by the next provider', async () => {
  await fault('openai', { stream: { kind: 'cut', after: 3 }, count: 1, match: { model: 'gpt-4.1' } });
  const stream = streamText({ model: holdfast('demo'), prompt: rain, ...quiet });
  assert.match(await stream.text, /^\[.*\] You said: Tell me something about rain, in several words\.$/);
  assert.equal(await stream.finishReason, 'stop');
});

test('a stream is left in the middle', async () => {
  await fault('openai', { slow_bytes: 1000, count: 1, match: { model: 'gpt-4.1' } });
  const leaving = new AbortController();
  const stream = streamText({ model: holdfast('gpt-4.1'), prompt: rain, abortSignal: leaving.signal, ...quiet });
  const kinds = new Set();
  for await (const part of stream.fullStream) {
    kinds.add(part.type);
    if (part.type === 'text-delta') leaving.abort();
  }
  assert.ok(kinds.has('abort'), [...kinds].join());
  assert.ok(!kinds.has('finish'));
});
