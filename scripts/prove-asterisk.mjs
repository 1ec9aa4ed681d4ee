// Boots the private Asterisk once, without root's rights, and prints what it saw as one JSON line.
import { proveBoot } from './steps/boot-proof.mjs';
import { enter } from './steps/enter.mjs';
import { readAsteriskRecord } from './steps/private-asterisk.mjs';
import { SetUpError } from './steps/run-command.mjs';

await enter(async () => {
  const record = readAsteriskRecord();
  if (!record) throw new SetUpError('there is no private Asterisk yet: npm run setup');
  const seen = await proveBoot(record);
  process.stdout.write(`${JSON.stringify({ version: record.version, ...seen })}\n`);
  return 0;
});
