-- What was sealed of a recording is asked before each hearing: `about` begins at the 92nd byte of
-- every line. Only those lines are indexed, since an index over all would double a commit's pages.
CREATE INDEX "ledger_sealed" ON "ledger" (substr("line", 92, 64))
    WHERE instr("line", ',"what":"recording-sealed",') > 0;

-- Names the master key, so that another site's is not taken for ours.
ALTER TABLE "Account" ADD COLUMN "keyId" TEXT;
