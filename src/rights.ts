// How what root has started gives up root's rights, for itself and for all that it starts.
import { statSync } from 'node:fs';
import { FloorError } from './errors.ts';

/** Becomes this user for good, in this group and no other. */
export function becomeUser({ uid, gid }: { uid: number; gid: number }): void {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * Started by root, becomes the user who owns all of the folders; started by another, does nothing.
 * Throws FloorError `main.folder-of-root` where one is missing, root's or somebody else's than the
 * first: then it is not known whom to become.
 */
export function leaveRoot(folders: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const owners = folders.map((folder) => statSync(folder, { throwIfNoEntry: false }));
  const [user] = owners;
  const wrong = owners.findIndex((each) => !each || each.uid === 0 || each.uid !== user?.uid);
  if (wrong >= 0) throw new FloorError('main.folder-of-root', folders[wrong]);
  if (user) becomeUser(user);
}
