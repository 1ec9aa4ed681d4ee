// The words a SIPp carrier and SIPp agents' phones speak: scenarios for the demo and the tests.

/** Shortest and longest time of something that varies from call to call. */
export type SpanMs = readonly [min: number, max: number];

export interface CarrierManners {
  /** How long an answering party lets it ring. */
  ringMs: SpanMs;
  /** How long a party that ends its calls itself talks (last digit 9). */
  talkMs: SpanMs;
  /** Tone file (G.711 u-law) that every answering party plays. */
  toneFile: string;
}

/**
 * What the last digit of the dialed number makes the carrier do. Numbers reserved for fiction fix
 * their leading digits, so only the last ones are free to mean something.
 */
export const carrierDigits = {
  declines: '0',
  talksUntilHungUp: '1',
  busy: '2',
  neverAnswers: '3',
  congested: '4',
  unallocated: '5',
  earlyMedia: '6',
  hangsUpAfter3s: '7',
  answersAtOnce: '8',
  hangsUpAfterTalk: '9',
} as const;

export type CarrierBehaviour = keyof typeof carrierDigits;

/** Agents whose extension ends with this digit hang up by themselves after three seconds. */
export const leavingAgentDigit = '7';

// SIPp has no receive timeout drawn at random, so a span becomes this many fixed choices.
const choices = 6;

const reply = (status: string, extra = '', body = '') => `<send><![CDATA[
SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]t[call_number]
[last_Call-ID:]
${status.startsWith('487') ? 'CSeq: [$inviteCseq]' : '[last_CSeq:]'}
Contact: <sip:[local_ip]:[local_port]>
${extra}${body === '' ? 'Content-Length: 0\n' : `Content-Length: [len]\n\n${body}`}
]]></send>`;

const mediaBody = `v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=ptime:20
`;

const withMedia = (status: string) => reply(status, 'Content-Type: application/sdp\n', mediaBody);

const log = (what: string) =>
  `<nop><action><log message="[timestamp] ${what} [$number]"/></action></nop>`;

const play = (toneFile: string) =>
  `<nop><action><exec rtp_stream="${toneFile},-1,0"/></action></nop>`;

const label = (id: string) => `<label id="${id}"/>`;

/** Acknowledges the final answer; SIPp ends the call after the last element of the path. */
const refuse = (id: string, status: string, extra = '') =>
  [
    label(id),
    log(status.slice(0, 3)),
    reply(status, extra),
    '<recv request="ACK" next="end"/>',
  ].join('\n');

const bye = (id: string, who: string) => `${label(id)}
${log(who)}
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$to];tag=[pid]t[call_number]
To: [$from]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<recv response="200" next="end"/>`;

/** Picks one of `choices` times within the span and waits that long for `request`. */
function waitFor(name: string, request: string, spanMs: SpanMs, heard: string, then: string) {
  const times = Array.from({ length: choices }, (_, k) =>
    Math.round(spanMs[0] + ((spanMs[1] - spanMs[0]) * (k + 0.5)) / choices),
  );
  const draw = [
    `<nop><action><sample assign_to="${name}" distribution="uniform" min="0" max="${choices}"/>`,
    ...times.map(
      (_, k) =>
        `<test assign_to="${name}${k}" variable="${name}" compare="less_than" value="${k + 1}"/>`,
    ),
    '</action></nop>',
    ...times.map((_, k) => `<nop next="${name}${k}" test="${name}${k}"/>`),
  ];
  const waits = times.map(
    (ms, k) => `${label(`${name}${k}`)}
<recv request="${request}" timeout="${ms}" ontimeout="${then}" next="${heard}"/>`,
  );
  return [label(name), ...draw, ...waits].join('\n');
}

const scenario = (name: string, parts: readonly string[]) => `<?xml version="1.0"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="${name}">
${parts.join('\n')}
</scenario>
`;

/** Takes an INVITE apart: number, dialog parties, and one flag for each digit in `digits`. */
const takeInvite = (digits: readonly string[]) => `<recv request="INVITE" rrs="true"><action>
<ereg regexp="sip:[+]?([^@]*)@" search_in="msg" check_it="true" assign_to="uri,number"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="inviteCseq"/>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
${digits
  .map(
    (digit) => `<ereg regexp="^INVITE sip:[^@]*${digit}@" search_in="msg" assign_to="is${digit}"/>`,
  )
  .join('\n')}
</action></recv>
<Reference variables="uri,inviteCseq,from,to"/>`;

const hangUpByOther = `${label('bye')}
${log('hung-up')}
${reply('200 OK')}
<nop next="end"/>`;

/** Scenario of the carrier: one call each, steered by the last digit of the number. */
export function carrierScenario(manners: CarrierManners): string {
  const is = (behaviour: CarrierBehaviour) => `is${carrierDigits[behaviour]}`;
  const go = (behaviour: CarrierBehaviour, target: string) =>
    `<nop next="${target}" test="${is(behaviour)}"/>`;
  return scenario('carrier', [
    // Talking until hung up is where a call ends up without a flag; an unused one is an error.
    takeInvite(Object.values(carrierDigits).filter((d) => d !== carrierDigits.talksUntilHungUp)),
    log('invited'),
    go('declines', 'declines'),
    go('busy', 'busy'),
    go('congested', 'congested'),
    go('unallocated', 'unallocated'),
    go('answersAtOnce', 'answer'),
    go('earlyMedia', 'early'),
    reply('180 Ringing'),
    go('neverAnswers', 'silence'),
    waitFor('ring', 'CANCEL', manners.ringMs, 'cancelled', 'answer'),
    label('early'),
    withMedia('183 Session Progress'),
    play(manners.toneFile),
    '<recv request="CANCEL" timeout="1500" ontimeout="answer-early" next="cancelled"/>',
    label('silence'),
    '<recv request="CANCEL" next="cancelled"/>',
    label('answer-early'),
    log('answered'),
    withMedia('200 OK'),
    '<recv request="ACK" next="talk"/>',
    label('answer'),
    log('answered'),
    withMedia('200 OK'),
    '<recv request="ACK"/>',
    play(manners.toneFile),
    go('hangsUpAfter3s', 'brief'),
    go('hangsUpAfterTalk', 'chat'),
    label('talk'),
    '<recv request="BYE" next="bye"/>',
    label('brief'),
    '<recv request="BYE" timeout="3000" ontimeout="leave" next="bye"/>',
    waitFor('chat', 'BYE', manners.talkMs, 'bye', 'leave'),
    hangUpByOther,
    bye('leave', 'left'),
    label('cancelled'),
    log('cancelled'),
    reply('200 OK'),
    reply('487 Request Terminated'),
    '<recv request="ACK" next="end"/>',
    refuse('declines', '603 Decline'),
    refuse('busy', '486 Busy Here'),
    refuse('congested', '503 Service Unavailable'),
    refuse('unallocated', '404 Not Found', 'Reason: Q.850;cause=1;text="Unallocated"\n'),
    label('end'),
    '<nop/>',
  ]);
}

/** Scenario of agents' phones: answer at once and play the tone until the floor hangs up. */
export function agentScenario(toneFile: string): string {
  return scenario('agent', [
    takeInvite([leavingAgentDigit]),
    log('invited'),
    withMedia('200 OK'),
    '<recv request="ACK"/>',
    log('answered'),
    play(toneFile),
    `<nop next="brief" test="is${leavingAgentDigit}"/>`,
    '<recv request="BYE" next="bye"/>',
    label('brief'),
    '<recv request="BYE" timeout="3000" ontimeout="leave" next="bye"/>',
    hangUpByOther,
    bye('leave', 'left'),
    label('end'),
    '<nop/>',
  ]);
}
