CREATE TABLE "ledger" (
    "seq" INTEGER NOT NULL PRIMARY KEY,
    "line" TEXT NOT NULL
);

CREATE TABLE "Pending" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "room" TEXT NOT NULL,
    "lane" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "effect" JSONB NOT NULL,
    "atUtcMs" BIGINT NOT NULL
);

CREATE TABLE "Campaign" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "creditorId" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "stateWhy" TEXT,
    "settings" JSONB NOT NULL
);

CREATE TABLE "CampaignDay" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "campaignId" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "dialed" INTEGER NOT NULL,
    "answered" INTEGER NOT NULL,
    "abandoned" INTEGER NOT NULL
);

CREATE INDEX "CampaignDay_campaignId_day_idx" ON "CampaignDay" ("campaignId", "day");

CREATE TABLE "Agent" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "personId" TEXT NOT NULL,
    "extension" TEXT NOT NULL,
    "way" TEXT NOT NULL,
    "campaignIds" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "sinceUtcMs" BIGINT NOT NULL,
    "legId" TEXT,
    "legState" TEXT NOT NULL,
    "callId" TEXT,
    "wanted" TEXT,
    "wantedCode" TEXT,
    "untilUtcMs" BIGINT,
    "phoneUntilUtcMs" BIGINT
);

CREATE TABLE "Call" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "campaignId" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "permitId" TEXT,
    "caseId" TEXT,
    "debtorId" TEXT,
    "numberId" TEXT,
    "segment" TEXT NOT NULL,
    "agentId" TEXT,
    "askedUtcMs" BIGINT NOT NULL,
    "dialedUtcMs" BIGINT,
    "ringingUtcMs" BIGINT,
    "answeredUtcMs" BIGINT,
    "connectedUtcMs" BIGINT,
    "endedUtcMs" BIGINT,
    "cause" INTEGER,
    "sipCode" INTEGER,
    "endedBy" TEXT,
    "endAsked" TEXT,
    "outcome" TEXT,
    "disposition" TEXT,
    "effective" BOOLEAN,
    "stated" JSONB,
    "recovered" BOOLEAN NOT NULL
);

CREATE INDEX "Call_campaignId_askedUtcMs_idx" ON "Call" ("campaignId", "askedUtcMs");

CREATE INDEX "Call_caseId_idx" ON "Call" ("caseId");

CREATE INDEX "Call_agentId_askedUtcMs_idx" ON "Call" ("agentId", "askedUtcMs");

CREATE INDEX "Call_state_idx" ON "Call" ("state");

CREATE TABLE "Recording" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "state" TEXT NOT NULL,
    "why" TEXT,
    "spanMs" INTEGER NOT NULL,
    "tries" INTEGER NOT NULL,
    "nextUtcMs" BIGINT,
    "objectId" TEXT,
    "plainSha256" TEXT,
    "cipherSha256" TEXT,
    "plainBytes" INTEGER,
    "iv" TEXT,
    "wrappedKey" TEXT,
    "keyId" TEXT,
    "durationMs" INTEGER,
    "sealedUtcMs" BIGINT,
    "notice" BOOLEAN NOT NULL,
    "repaired" BOOLEAN NOT NULL
);

CREATE INDEX "Recording_state_idx" ON "Recording" ("state");

CREATE TABLE "Alarm" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "room" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "about" TEXT NOT NULL,
    "sinceUtcMs" BIGINT NOT NULL,
    "lastUtcMs" BIGINT NOT NULL,
    "count" INTEGER NOT NULL,
    "clearedUtcMs" BIGINT,
    "ackBy" TEXT,
    "ackUtcMs" BIGINT
);

CREATE INDEX "Alarm_clearedUtcMs_idx" ON "Alarm" ("clearedUtcMs");

CREATE TABLE "Person" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "roles" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "sinceUtcMs" BIGINT NOT NULL,
    "requirements" JSONB NOT NULL
);

CREATE TABLE "Login" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "passwordHash" TEXT NOT NULL,
    "changedUtcMs" BIGINT NOT NULL
);

CREATE UNIQUE INDEX "Login_name_key" ON "Login" ("name");

CREATE TABLE "Token" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "personId" TEXT,
    "hash" TEXT NOT NULL,
    "label" TEXT,
    "roles" JSONB,
    "madeUtcMs" BIGINT NOT NULL,
    "endsUtcMs" BIGINT NOT NULL
);

CREATE INDEX "Token_personId_idx" ON "Token" ("personId");

CREATE TABLE "Creditor" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "callerId" TEXT NOT NULL
);

CREATE TABLE "Batch" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "creditorId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "receivedUtcMs" BIGINT NOT NULL,
    "deadlineUtcMs" BIGINT,
    "recallUtcMs" BIGINT,
    "ended" TEXT
);

CREATE TABLE "Words" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "text" TEXT NOT NULL
);

CREATE TABLE "Case" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "batchId" TEXT NOT NULL,
    "creditorId" TEXT NOT NULL,
    "reference" INTEGER NOT NULL,
    "referenceKey" TEXT NOT NULL,
    "product" TEXT,
    "amountMinor" BIGINT,
    "stops" JSONB NOT NULL,
    "stoppedUtcMs" BIGINT,
    "allocatedTo" TEXT,
    "allocatedUtcMs" BIGINT,
    "version" INTEGER NOT NULL
);

CREATE INDEX "Case_batchId_idx" ON "Case" ("batchId");

CREATE INDEX "Case_referenceKey_idx" ON "Case" ("referenceKey");

CREATE INDEX "Case_allocatedTo_idx" ON "Case" ("allocatedTo");

CREATE TABLE "CasePerson" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "name" INTEGER,
    "personKey" TEXT NOT NULL,
    "zone" TEXT,
    "refusedUtcMs" BIGINT,
    "version" INTEGER NOT NULL
);

CREATE INDEX "CasePerson_caseId_idx" ON "CasePerson" ("caseId");

CREATE INDEX "CasePerson_personKey_idx" ON "CasePerson" ("personKey");

CREATE TABLE "Number" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "e164" INTEGER NOT NULL,
    "numberKey" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "notAtWork" BOOLEAN NOT NULL,
    "notThen" JSONB,
    "state" TEXT NOT NULL,
    "version" INTEGER NOT NULL
);

CREATE INDEX "Number_caseId_idx" ON "Number" ("caseId");

CREATE INDEX "Number_numberKey_idx" ON "Number" ("numberKey");

CREATE TABLE "StopList" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "byPersonId" TEXT NOT NULL,
    "atUtcMs" BIGINT NOT NULL
);

CREATE INDEX "StopList_key_idx" ON "StopList" ("key");

CREATE TABLE "Release" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "agentId" TEXT NOT NULL,
    "byPersonId" TEXT NOT NULL,
    "reasonNoteId" TEXT NOT NULL,
    "untilUtcMs" BIGINT NOT NULL,
    "usedUtcMs" BIGINT
);

CREATE INDEX "Release_caseId_agentId_idx" ON "Release" ("caseId", "agentId");

CREATE TABLE "Contact" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "state" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "mode" TEXT,
    "caseId" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "numberId" TEXT,
    "numberKey" TEXT,
    "personKey" TEXT NOT NULL,
    "creditorKey" TEXT NOT NULL,
    "callId" TEXT,
    "agentId" TEXT,
    "releaseId" TEXT,
    "callbackId" TEXT,
    "policy" TEXT,
    "localDay" TEXT NOT NULL,
    "attemptUtcMs" BIGINT,
    "answerUtcMs" BIGINT,
    "conversationUtcMs" BIGINT,
    "droppedUtcMs" BIGINT,
    "settledUtcMs" BIGINT,
    "outcome" TEXT,
    "version" INTEGER NOT NULL
);

CREATE INDEX "Contact_state_idx" ON "Contact" ("state");

CREATE INDEX "Contact_numberKey_idx" ON "Contact" ("numberKey");

CREATE INDEX "Contact_personKey_idx" ON "Contact" ("personKey");

CREATE INDEX "Contact_caseId_idx" ON "Contact" ("caseId");

CREATE TABLE "Lead" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "campaignId" TEXT NOT NULL,
    "listId" TEXT NOT NULL,
    "caseId" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "numberId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "nextUtcMs" BIGINT NOT NULL,
    "tries" INTEGER NOT NULL,
    "version" INTEGER NOT NULL
);

CREATE INDEX "Lead_listId_state_nextUtcMs_idx" ON "Lead" ("listId", "state", "nextUtcMs");

CREATE INDEX "Lead_numberId_idx" ON "Lead" ("numberId");

CREATE TABLE "List" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "campaignId" TEXT NOT NULL,
    "batchId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "why" TEXT,
    "line" INTEGER,
    "fileSha256" TEXT,
    "rejectSha256" TEXT,
    "rejectPath" TEXT,
    "accepted" INTEGER NOT NULL,
    "rejected" INTEGER NOT NULL,
    "duplicates" INTEGER NOT NULL,
    "byPersonId" TEXT NOT NULL,
    "confirmedBy" TEXT,
    "atUtcMs" BIGINT NOT NULL
);

CREATE INDEX "List_campaignId_state_idx" ON "List" ("campaignId", "state");

CREATE TABLE "Callback" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "numberId" TEXT NOT NULL,
    "dueUtcMs" BIGINT NOT NULL,
    "nextUtcMs" BIGINT NOT NULL,
    "agentId" TEXT,
    "state" TEXT NOT NULL
);

CREATE INDEX "Callback_state_nextUtcMs_idx" ON "Callback" ("state", "nextUtcMs");

CREATE INDEX "Callback_caseId_idx" ON "Callback" ("caseId");

CREATE TABLE "PayPromise" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "amountMinor" BIGINT NOT NULL,
    "dueUtcMs" BIGINT NOT NULL,
    "state" TEXT NOT NULL
);

CREATE INDEX "PayPromise_caseId_idx" ON "PayPromise" ("caseId");

CREATE TABLE "Note" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "caseId" TEXT NOT NULL,
    "who" TEXT NOT NULL,
    "text" INTEGER NOT NULL,
    "salt" INTEGER NOT NULL,
    "atUtcMs" BIGINT NOT NULL
);

CREATE INDEX "Note_caseId_idx" ON "Note" ("caseId");

CREATE TABLE "Account" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "siteId" TEXT NOT NULL,
    "signingKey" TEXT NOT NULL
);

CREATE TABLE "Look" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "who" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "what" TEXT NOT NULL,
    "about" TEXT NOT NULL,
    "reason" INTEGER,
    "salt" INTEGER,
    "atUtcMs" BIGINT NOT NULL
);

CREATE INDEX "Look_about_idx" ON "Look" ("about");
