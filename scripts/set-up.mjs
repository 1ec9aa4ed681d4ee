// `npm run setup`: installs and builds whatever is missing; a second run has nothing to do.
import { enter } from './steps/enter.mjs';
import { setUp } from './steps/set-up.mjs';

await enter(async () => {
  process.stdout.write('Gatehouse set-up\n');
  await setUp();
  return 0;
});
