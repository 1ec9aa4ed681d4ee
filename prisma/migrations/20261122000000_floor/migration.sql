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
