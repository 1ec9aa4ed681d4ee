// Both disks: new files only, reads that reach the medium, small files whole or not at all.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import { chunkBytes, hasCode, readWhole, realDisk, writeWhole } from './disk.ts';
import { syncDisk } from './sync-disk.ts';

// Beside the sources, for a folder of temporary files may lie in memory and have no medium.
mkdirSync('.cache', { recursive: true });
const root = mkdtempSync(join('.cache', 'disk-'));
afterAll(() => rmSync(root, { recursive: true }));
const ids = seededIds(31);

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}
const codeOf = async (work: Promise<unknown>) => {
  try {
    await work;
    return 'none';
  } catch (cause) {
    return cause instanceof Error && 'code' in cause ? cause.code : cause;
  }
};
const bytesReadByProcess = () =>
  Number(/^read_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

describe.each([
  { name: 'awaited', disk: realDisk },
  { name: 'of a thread', disk: syncDisk },
])('the disk, $name:', ({ name, disk }) => {
  const folder = join(root, name);
  mkdirSync(folder);

  describe('reading', () => {
    it.each([
      0,
      1,
      511,
      512,
      4096,
      4097,
      chunkBytes - 1,
      chunkBytes,
      chunkBytes + 1,
      3 * chunkBytes,
    ])('gives a file of %i bytes back, through the cache and past it', async (size) => {
      const path = join(folder, `read-${size}`);
      const bytes = Buffer.alloc(size, ids.bytes(1021));
      writeFileSync(path, bytes);
      expect((await bytesOf(disk.read(path))).equals(bytes)).toBe(true);
      expect((await bytesOf(disk.readFromMedium(path))).equals(bytes)).toBe(true);
      expect(await disk.sizeBytes(path)).toBe(size);
    });

    it('from the medium is not answered by the page cache', async () => {
      const path = join(folder, 'medium');
      const size = 8 * chunkBytes;
      const file = await disk.create(path, 0o600);
      await file.write(Buffer.alloc(size, 7));
      await file.sync();
      await file.close();
      await bytesOf(disk.read(path));
      const before = bytesReadByProcess();
      await bytesOf(disk.read(path));
      const cached = bytesReadByProcess() - before;
      await bytesOf(disk.readFromMedium(path));
      expect(cached).toBeLessThan(size);
      expect(bytesReadByProcess() - before - cached).toBeGreaterThanOrEqual(size);
    });

    it('gives a range with both its ends', async () => {
      const path = join(folder, 'range');
      writeFileSync(path, 'abcdef');
      const range = { firstByte: 1, lastByte: 3 };
      expect((await bytesOf(disk.read(path, range))).toString()).toBe('bcd');
    });

    it('of what is not there fails with its code', async () => {
      const path = join(folder, 'nothing');
      expect(await codeOf(bytesOf(disk.read(path)))).toBe('ENOENT');
      expect(await codeOf(bytesOf(disk.readFromMedium(path)))).toBe('ENOENT');
      expect(await disk.sizeBytes(path)).toBeUndefined();
      expect(await disk.names(path)).toEqual([]);
    });

    it('of several files from the medium at once mixes nothing', async () => {
      const paths = Array.from({ length: 12 }, (_, i) => {
        const path = join(folder, `many-${i}`);
        writeFileSync(path, Buffer.alloc(chunkBytes + i, i));
        return path;
      });
      const all = await Promise.all(paths.map((path) => bytesOf(disk.readFromMedium(path))));
      all.forEach((bytes, i) => {
        expect(bytes.equals(Buffer.alloc(chunkBytes + i, i))).toBe(true);
      });
    });
  });

  describe('writing', () => {
    it('never touches a file that is there', async () => {
      const path = join(folder, 'taken');
      writeFileSync(path, 'mine');
      expect(await codeOf(disk.create(path, 0o600))).toBe('EEXIST');
      expect(await codeOf(disk.link(join(folder, 'range'), path))).toBe('EEXIST');
      expect(readFileSync(path, 'utf8')).toBe('mine');
    });

    it('makes files for the owner only and folders with their parents', async () => {
      const path = join(folder, 'a', 'b', 'c');
      await disk.makeFolder(path);
      await disk.makeFolder(path);
      const file = await disk.create(join(path, 'file'), 0o400);
      await file.write(Buffer.from('x'));
      await file.close();
      expect(statSync(join(path, 'file')).mode & 0o777).toBe(0o400);
      for (const made of ['a', 'a/b', 'a/b/c']) {
        expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700);
      }
    });

    it('appends and cuts', async () => {
      const path = join(folder, 'appended');
      for (const text of ['one', 'two']) {
        const file = await disk.append(path, 0o600);
        await file.write(Buffer.from(text));
        await file.close();
      }
      expect(readFileSync(path, 'utf8')).toBe('onetwo');
      await disk.truncate(path, 4);
      expect(readFileSync(path, 'utf8')).toBe('onet');
    });

    it('replaces a small file whole, also after a crash left a part', async () => {
      const path = join(folder, 'small');
      writeFileSync(`${path}.part`, 'half');
      await writeWhole(disk, path, 'first');
      await writeWhole(disk, path, 'second');
      expect(await readWhole(disk, path, 100)).toBe('second');
      expect(await disk.sizeBytes(`${path}.part`)).toBeUndefined();
      expect(await codeOf(readWhole(disk, path, 3))).toBe('EFBIG');
    });

    it('leaves the old file when the new one can not be written', async () => {
      const path = join(folder, 'kept');
      await writeWhole(disk, path, 'old');
      const failing = {
        ...disk,
        create: async (...args: Parameters<typeof disk.create>) => ({
          ...(await disk.create(...args)),
          sync: () => Promise.reject(Object.assign(new Error('fsync'), { code: 'EIO' })),
        }),
      };
      expect(await codeOf(writeWhole(failing, path, 'new'))).toBe('EIO');
      expect(readFileSync(path, 'utf8')).toBe('old');
    });
  });

  describe('a disk', () => {
    it('knows its free space, and codes are told from other errors', async () => {
      expect(await disk.freeBytes(folder)).toBeGreaterThan(0);
      expect(hasCode(Object.assign(new Error('x'), { code: 'EIO' }), 'EIO')).toBe(true);
      expect(hasCode(new Error('x'), 'EIO')).toBe(false);
      expect(hasCode({ code: 'EIO' }, 'EIO')).toBe(false);
    });

    it('removes what is there and does not mind what is not', async () => {
      const path = join(folder, 'gone');
      writeFileSync(path, '');
      await disk.remove(path);
      await disk.remove(path);
      expect(await disk.sizeBytes(path)).toBeUndefined();
      await disk.syncFolder(folder);
    });
  });
});
