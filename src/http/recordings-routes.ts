// Routes of recordings: what is known of them, and their sound, which leaves a trace before a byte.
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { openRecordingStates } from '../store/history.ts';
import { type App, actorOf, answers, found, type HttpParts } from './app.ts';
import { decideRange } from './byte-range.ts';
import { exactly, Id, listOf, pageKeys, pageOf, Reason } from './forms.ts';
import { granted, Problem, sendProblem } from './problems.ts';
import { RecordingView } from './views.ts';

const rowsShown = 1_000;
const RecordingParam = exactly({ recordingId: Id });
const reasonChars = 500;

export function addRecordingsRoutes(app: App, parts: HttpParts): void {
  const { history } = parts;

  app.get(
    '/api/recordings',
    {
      schema: {
        tags: ['recordings'],
        summary: 'Recordings that are not in the vault for good; those are found by their call',
        querystring: exactly({ state: Type.Enum([...openRecordingStates]), ...pageKeys }),
        response: answers(exactly({ recordings: listOf(RecordingView, rowsShown) })),
      },
    },
    async (request) => {
      const page = pageOf(request.query);
      return { recordings: await history.recordings(request.query.state, page) };
    },
  );

  app.get(
    '/api/recordings/:recordingId',
    {
      schema: {
        tags: ['recordings'],
        summary: 'One recording: its digests and its state',
        params: RecordingParam,
        response: answers(RecordingView),
      },
    },
    async (request) => found(await history.recording(request.params.recordingId)),
  );

  app.get(
    '/api/recordings/:recordingId/audio',
    {
      schema: {
        tags: ['recordings'],
        summary: 'The sound of a call as FLAC, left the agent, right the customer',
        description:
          'A reason is needed, as `reason` in the address or percent-encoded in the header ' +
          '`x-reason`. Who listened to which bytes and why is in the ledger before the first ' +
          'byte is sent. Ranges are answered with 206.',
        params: RecordingParam,
        querystring: exactly({ reason: Type.Optional(Reason) }),
        headers: Type.Object({ 'x-reason': Type.Optional(Type.String({ maxLength: 4_096 })) }),
        produces: ['audio/flac'],
      },
    },
    (request, reply) => {
      const reason = request.query.reason ?? readReason(request.headers['x-reason']);
      return sendAudio(request, reply, parts, request.params.recordingId, reason);
    },
  );
}

async function sendAudio(
  request: FastifyRequest,
  reply: FastifyReply,
  { floor, history }: HttpParts,
  recordingId: string,
  reason: string,
): Promise<FastifyReply> {
  const { plainBytes, plainSha256 } = found(await history.recording(recordingId));
  if (plainBytes === undefined || plainSha256 === undefined) {
    throw new Problem('recording-not-sealed');
  }
  const etag = `"${plainSha256}"`;
  const { range: wanted, 'if-range': condition } = request.headers;
  // RFC 9110 section 13.1.5: of another version the whole is sent, not a part.
  const same = condition === undefined || condition === etag;
  const decision = decideRange(same ? wanted : undefined, plainBytes);
  reply.header('accept-ranges', 'bytes').header('etag', etag);
  if (decision.kind === 'impossible') {
    reply.header('content-range', `bytes */${plainBytes}`);
    return sendProblem(reply, new Problem('range-impossible'));
  }
  const whole = { firstByte: 0, lastByte: plainBytes - 1 };
  const range = decision.kind === 'part' ? decision.range : whole;
  const { bytes } = granted(await floor.recordings.openAudio(recordingId, range));
  const look = { what: 'recording-played', about: recordingId, reason, facts: { ...range } };
  try {
    // Durable when it resolves; until then nobody has asked the stream for a byte.
    await floor.people.noteLook(actorOf(request), look);
  } catch (cause) {
    bytes.destroy();
    throw cause;
  }
  if (decision.kind === 'part') {
    const { firstByte, lastByte } = range;
    reply.code(206).header('content-range', `bytes ${firstByte}-${lastByte}/${plainBytes}`);
  }
  return reply
    .header('content-type', 'audio/flac')
    .header('content-length', String(range.lastByte - range.firstByte + 1))
    .send(bytes);
}

/** Headers hold Latin letters only, so the reason comes percent-encoded in UTF-8. */
function readReason(header: string | undefined): string {
  const problem = new Problem('input-invalid', { detail: 'a reason is needed' });
  if (header === undefined) throw problem;
  let reason: string;
  try {
    reason = decodeURIComponent(header);
  } catch {
    throw problem;
  }
  if (!/^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u.test(reason) || reason.length > reasonChars) throw problem;
  return reason;
}
