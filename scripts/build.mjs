// `npm run build`: set-up, and dist/ compiled from the sources as they are now.
import { enter } from './steps/enter.mjs';
import { setUp } from './steps/set-up.mjs';

await enter(async () => {
  await setUp({ quiet: true });
  process.stdout.write('dist/ is up to date\n');
  return 0;
});
