// Anthropic's own SDK, behind every vendor.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';

import { baseURL, calls, clearFaults, token } from '../instance.mjs';

const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey: token, authToken: null, maxRetries: 0, timeout: 60_000 });
const rain = 'Tell me something about rain, in several words.';
const vendors = { openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' };
const tools = ['get_weather', 'get_traffic'].map((name) => ({
  name, description: 'What there is in a city', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}));
const text = (message) => message.content.filter((block) => block.type === 'text').map((block) => block.text).join('');

afterEach(clearFaults);

for (const [vendor, model] of Object.entries(vendors)) {
  test(`a message of ${model}`, async () => {
    const message = await client.messages.create({
      model, max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }],
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    });
    assert.equal(text(message), `[${vendor}/${model}] You said: Hello`);
    assert.equal(message.stop_reason, 'end_turn');
    assert.ok(message.usage.output_tokens > 0);
  });

  test(`messages.stream of ${model}`, async () => {
    const stream = client.messages.stream({ model, max_tokens: 500, messages: [{ role: 'user', content: rain }] });
    let pieces = '';
    stream.on('text', (piece) => { pieces += piece; });
    const message = await stream.finalMessage();
    assert.equal(text(message), `[${vendor}/${model}] You said: ${rain}`);
    assert.equal(pieces, text(message));
    assert.equal(message.stop_reason, 'end_turn');
  });

  for (const streamed of [false, true]) {
    test(`three rounds of tools with ${model}${streamed ? ', streamed' : ''}`, async () => {
      const messages = [];
      const ask = async (content) => {
        messages.push({ role: 'user', content });
        const body = { model, max_tokens: 500, messages, tools };
        const message = await (streamed ? client.messages.stream(body).finalMessage() : client.messages.create(body));
        messages.push({ role: message.role, content: message.content });
        return message;
      };
      for (let round = 0; round < 3; round++) {
        const asked = await ask(`Round ${round}: please call the tools get_weather and get_traffic.`);
        assert.equal(asked.stop_reason, 'tool_use');
        const uses = asked.content.filter((block) => block.type === 'tool_use');
        assert.deepEqual(uses.map((use) => [use.name, use.input]), [['get_weather', { city: 'Paris' }], ['get_traffic', { city: 'Paris' }]]);
        const answered = await ask(uses.map((use) => ({ type: 'tool_result', tool_use_id: use.id, content: `${use.name} ${round}` })));
        assert.match(text(answered), new RegExp(`get_weather ${round}`));
        assert.match(text(answered), new RegExp(`get_traffic ${round}`));
      }
    });
  }

  test(`tokens for ${model} are counted`, async () => {
    const count = async (content) => (await client.messages.countTokens({ model, messages: [{ role: 'user', content }] })).input_tokens;
    const short = await count('Hello');
    assert.ok(short > 0 && (await count('Hello, I have more to say. '.repeat(50))) > short + 200);
  });
}

test('thoughts come with their signature, and go back', async () => {
  const messages = [{ role: 'user', content: 'Please call the tool get_weather.' }];
  const body = { model: 'claude-sonnet-4-5', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 }, tools, messages };
  const asked = await client.messages.stream(body).finalMessage();
  const [thought] = asked.content.filter((block) => block.type === 'thinking');
  assert.ok(thought.thinking && thought.signature);
  const [use] = asked.content.filter((block) => block.type === 'tool_use');
  messages.push({ role: 'assistant', content: asked.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] });
  assert.match(text(await client.messages.create(body)), /sunny/);
});

test('errors are those of Anthropic', async () => {
  const body = { model: 'gpt-4.1', max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }] };
  await assert.rejects(client.messages.create({ ...body, model: 'nobody' }), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...body, temperature: 3 }), Anthropic.BadRequestError);
  const stranger = new Anthropic({ baseURL: client.baseURL, apiKey: 'hf_wrong', authToken: null, maxRetries: 0 });
  await assert.rejects(stranger.messages.create(body), (error) => {
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.error.error.type, 'authentication_error');
    return true;
  });
  await assert.rejects(client.messages.stream({ ...body, model: 'nobody' }).finalMessage(), Anthropic.NotFoundError);
});

test('routes are models', async () => {
  const ids = [];
  for await (const model of client.models.list({ limit: 3 })) ids.push(model.id);
  assert.ok(Object.values(vendors).every((model) => ids.includes(model)), ids.join());
  assert.equal(new Set(ids).size, ids.length);
});

test('no vendor was sent what it refuses', async () => {
  for (const vendor of Object.keys(vendors)) {
    assert.deepEqual((await calls(vendor)).filter((call) => call.status === 400), []);
  }
});
