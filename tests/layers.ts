// Who may import whom: the layers of the house as one table; docs/architecture.md says why.

/** A layer, the form of its files' paths below src/, and the layers that these may import. */
type Layer = readonly [layer: string, files: string, may: string];

const room = '(people|cases|telephony|doors|cameras|evidence)';
// The first that fits is a file's layer. Every file may import the `facts`, and types of the frame;
// a layer with a dot may be imported from the same room only, one with a tilde only as types.
const layers: readonly Layer[] = [
  ['facts', '(draft|alarm|ids|calendar|calendar-data|audit/entry|people/person)\\.ts', ''],
  ['frame', '(room|clock|errors)\\.ts', 'frame'],
  ['log', '(log|redact)\\.ts', 'frame log'],
  ['config', 'config.*\\.ts', 'frame config pure lists'],
  [
    'main',
    '(main|command-line|daemon|keys-command|verify-command)\\.ts',
    'frame log config process main demo real-world floor http simulation audit vault store',
  ],
  ['demo', 'demo/', 'frame log config process main demo real-world adapter pure vault store'],
  ['real-world', 'real-world\\.ts', 'frame log config world pure adapter audit vault store'],
  ['floor', 'floor\\.ts', 'frame log config front world pure port audit vault'],
  ['world', 'world\\.ts', '~frame ~pure ~port ~lists ~audit ~vault'],
  ['process', '(worker-thread|notify|rights)\\.ts', 'frame log'],
  ['audit', 'audit/', 'frame audit'],
  ['vault', 'vault/', 'frame process audit vault'],
  ['store', 'store/', 'frame log audit vault store ~pure'],
  ['helper', 'helper/', 'helper'],
  [
    'simulation',
    'simulation/',
    'frame log process floor world front pure port audit vault store simulation',
  ],
  ['http', 'http/', 'frame log config store http ~floor ~world ~front ~pure ~port ~lists'],
  ['lists', 'cases/lists/', 'frame process .lists .pure'],
  [
    'adapter',
    '(telephony/asterisk|doors/readers|evidence/docks)/',
    'frame process vault .adapter .pure .port',
  ],
  ['adapter', 'cameras/(onvif|ffmpeg)\\.ts', 'frame process .adapter .pure .port'],
  ['password', 'people/password\\.ts', 'frame'],
  ['front', `${room}/\\2\\.ts`, 'frame .pure .port .lists .password audit vault'],
  ['port', `${room}/(phone-system|recordings|lock|camera|dock)\\.ts`, '.pure .port'],
  ['pure', `${room}/`, '.pure .port'],
];

/** The layer of a file; one that no form fits is in none, and may import nothing. */
export function layerOf(path: string): Layer {
  const found = layers.find(([, form]) => new RegExp(`^src/(${form})`).test(path));
  return found ?? ['none', '', ''];
}
