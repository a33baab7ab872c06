// The frameworks that agents are written with, by Responses and Messages: Vercel's AI SDK and LangChain.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { baseURL, calls, token } from '../instance.mjs';

const vendors = { openai: 'gpt-4.1', anthropic: 'claude-sonnet-4-5', gemini: 'gemini-2.5-flash' };
const openai = createOpenAI({ baseURL, apiKey: token });
const anthropic = createAnthropic({ baseURL, apiKey: token });
const tools = {
  get_weather: tool({ description: 'The weather of a city', inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `wet in ${city}` }),
};
const quiet = { maxRetries: 0, stopWhen: stepCountIs(3), tools };
const question = 'Please call the tool get_weather.';

for (const [vendor, model] of Object.entries(vendors)) {
  for (const [dialect, spoken] of Object.entries({ Responses: openai, Messages: anthropic })) {
    test(`two turns of tools by the AI SDK, ${dialect} of ${model}`, async () => {
      const messages = [];
      for (let turn = 0; turn < 2; turn++) {
        messages.push({ role: 'user', content: `Turn ${turn}. ${question}` });
        const { text, steps, response } = await generateText({ model: spoken(model), messages, ...quiet });
        assert.match(text, /The tool answered: .*wet in Paris/);
        assert.equal(steps.length, 2);
        messages.push(...response.messages);
      }
      messages.push({ role: 'user', content: 'Thank you.' });
      const stream = streamText({ model: spoken(model), messages, ...quiet, onError: () => {} });
      assert.equal(await stream.text, `[${vendor}/${model}] You said: Thank you.`);
      messages.push(...(await stream.response).messages, { role: 'user', content: question });
      assert.match(await streamText({ model: spoken(model), messages, ...quiet, onError: () => {} }).text, /The tool answered: .*wet in Paris/);
    });
  }

  for (const streaming of [false, true]) {
    test(`two turns of tools by LangChain, Responses of ${model}${streaming ? ', streamed' : ''}`, async () => {
      const weather = langchainTool(async ({ city }) => `wet in ${city}`, { name: 'get_weather', description: 'The weather of a city', schema: z.object({ city: z.string() }) });
      const llm = new ChatOpenAI({ model, apiKey: token, configuration: { baseURL }, useResponsesApi: true, maxRetries: 0, streaming }).bindTools([weather]);
      const messages = [];
      for (let turn = 0; turn < 2; turn++) {
        messages.push(new HumanMessage(`Turn ${turn}. ${question}`));
        const asked = await llm.invoke(messages);
        assert.equal(asked.tool_calls.length, 1);
        messages.push(asked);
        for (const call of asked.tool_calls) messages.push(new ToolMessage({ content: await weather.invoke(call.args), tool_call_id: call.id }));
        const answered = await llm.invoke(messages);
        assert.match(answered.text, /The tool answered: .*wet in Paris/);
        messages.push(answered);
      }
    });
  }
}

test('no vendor was sent what it refuses', async () => {
  for (const vendor of Object.keys(vendors)) {
    assert.deepEqual((await calls(vendor)).filter((call) => call.status === 400), []);
  }
});
