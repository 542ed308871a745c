// Verifies webhooks with the JavaScript reference library of Standard Webhooks, as a receiver in Node.js would.
// In: JSON lines {"secret", "headers", "body"}. Out: a line each, the verified payload as JSON, or the error's name.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
  } catch (error) {
    console.log(error.constructor.name);
  }
}
