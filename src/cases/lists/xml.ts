// Reads XML piece by piece, with bounds; the only importer of saxes.
import { SaxesParser } from 'saxes';
import { ListFault, listLimits } from './list-file.ts';

export type Attributes = Readonly<Record<string, string>>;

/** Hears a document from its start to its end. Names come without their namespace prefix. */
export interface XmlListener {
  opened(name: string, attributes: Attributes): void;
  closed(name: string): void;
  text(text: string): void;
}

/**
 * Feeds a document in UTF-8 to a listener; yields after each chunk, so that the caller can take
 * what the listener has collected. Throws ListFault, also for a document type: no entity of one is
 * ever expanded.
 */
export async function* parseXml(
  chunks: AsyncIterable<Buffer>,
  listener: XmlListener,
): AsyncGenerator<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new SaxesParser();
  // Bytes since the last tag: a tag or a text may not be larger than a row.
  let silentBytes = 0;
  parser.on('opentag', ({ name, attributes }) => {
    silentBytes = 0;
    listener.opened(localName(name), attributes);
  });
  parser.on('closetag', ({ name }) => {
    silentBytes = 0;
    listener.closed(localName(name));
  });
  parser.on('text', (text) => listener.text(text));
  parser.on('cdata', (text) => listener.text(text));
  parser.on('doctype', () => {
    throw new ListFault('broken-workbook', { detail: 'doctype' });
  });
  const feed = (work: () => void) => {
    try {
      work();
    } catch (cause) {
      // The parser's own message may quote the text it stumbled over, so it stays in the cause.
      if (cause instanceof ListFault) throw cause;
      throw new ListFault('broken-workbook', { detail: 'xml', cause });
    }
  };
  for await (const chunk of chunks) {
    silentBytes += chunk.length;
    feed(() => parser.write(decoder.decode(chunk, { stream: true })));
    if (silentBytes > listLimits.rowBytes) throw new ListFault('row-too-long');
    yield;
  }
  feed(() => parser.write(decoder.decode()).close());
  yield;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
