// Routes of the people room: logging in, one's own account, people, roles, tokens.
import Type from 'typebox';
import type { PersonRow } from '../people/person.ts';
import { type App, actorOf, answers, found, type HttpParts, mustBeOwn } from './app.ts';
import { Code, exactly, Id, listOf, Roles, textOf } from './forms.ts';
import { granted } from './problems.ts';
import { DoneView, PersonView, SecretView, TokenView } from './views.ts';

const dayMs = 86_400_000;
const peopleShown = 10_000;
const tokensShown = 10_000;

// Letters, digits and a few marks of any script; no spaces, so that it can be typed without doubt.
const Login = Type.String({
  pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}._@-]{1,63}$',
  maxLength: 64,
  description: 'Login name; upper and lower case are the same.',
});
// Length is judged by its own rule; here only what could not be a password at all.
const Password = Type.String({ minLength: 1, maxLength: 1_024, description: 'Password.' });
const PersonParam = exactly({ personId: Id });
const Requirement = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' });

const LoginView = exactly({ personId: Type.String(), ...SecretView.properties });
const CodeView = exactly({
  personId: Type.String(),
  code: Type.String({ description: 'One-time enrolment code, shown this once.' }),
});

export function addPeopleRoutes(app: App, { floor }: HttpParts): void {
  const { people } = floor;
  const shown = (person: PersonRow) => {
    const lacks = people.lacks(person.id);
    return { ...person, roles: [...person.roles], ...(lacks === undefined ? {} : { lacks }) };
  };

  addLogin(app, people);
  addTokens(app, people);
  addOrders(app, people);
  addRequirements(app, people);

  app.get(
    '/api/me',
    { schema: { tags: ['me'], summary: 'Who I am here', response: answers(PersonView) } },
    (request) => shown(found(people.person(actorOf(request).personId))),
  );

  app.get(
    '/api/people',
    {
      schema: {
        tags: ['people'],
        summary: 'Everybody, and everybody who was here',
        response: answers(exactly({ people: listOf(PersonView, peopleShown) })),
      },
    },
    () => ({ people: people.all().map(shown) }),
  );

  app.get(
    '/api/people/:personId',
    {
      schema: {
        tags: ['people'],
        summary: 'One person',
        params: PersonParam,
        response: answers(PersonView),
      },
    },
    (request) => {
      mustBeOwn(request, request.params.personId);
      return shown(found(people.person(request.params.personId)));
    },
  );
}

type People = HttpParts['floor']['people'];

function addOrders(app: App, people: People): void {
  app.post(
    '/api/people',
    {
      schema: {
        tags: ['people'],
        summary: 'Add a person; the code opens their account within a day',
        body: exactly({ name: textOf(100, 'Name as people say it.'), roles: Roles }),
        response: answers(CodeView),
      },
    },
    async (request) => granted(await people.addPerson(actorOf(request), request.body)),
  );

  app.post(
    '/api/people/:personId/code',
    {
      schema: {
        tags: ['people'],
        summary: 'A new enrolment code, for somebody who forgot the password',
        params: PersonParam,
        response: answers(CodeView),
      },
    },
    async (request) => {
      const { personId } = request.params;
      const { code } = granted(await people.issueCode(actorOf(request), personId));
      return { personId, code };
    },
  );

  app.put(
    '/api/people/:personId/roles',
    {
      schema: {
        tags: ['people'],
        summary: 'Set the roles; counts from the next request on',
        params: PersonParam,
        body: exactly({ roles: Roles, why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { roles, why } = request.body;
      const { personId } = request.params;
      return granted(await people.setRoles(actorOf(request), personId, roles, why));
    },
  );

  app.post(
    '/api/people/:personId/leave',
    {
      schema: {
        tags: ['people'],
        summary: 'The person leaves: login, sessions and tokens end at once',
        params: PersonParam,
        body: exactly({ why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId } = request.params;
      return granted(await people.leave(actorOf(request), personId, request.body.why));
    },
  );
}

/** What the site requires of whoever takes calls. */
function addRequirements(app: App, people: People): void {
  app.post(
    '/api/people/:personId/requirements',
    {
      schema: {
        tags: ['people'],
        summary: 'Record that a requirement of the site is met',
        params: PersonParam,
        body: exactly({ requirement: Requirement }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId } = request.params;
      const { requirement } = request.body;
      return granted(await people.recordRequirement(actorOf(request), personId, requirement));
    },
  );

  app.post(
    '/api/people/:personId/requirements/:requirement/withdraw',
    {
      schema: {
        tags: ['people'],
        summary: 'Take back that a requirement is met; who needs it takes no more calls',
        params: exactly({ personId: Id, requirement: Requirement }),
        body: exactly({ why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, requirement } = request.params;
      const { why } = request.body;
      return granted(
        await people.withdrawRequirement(actorOf(request), personId, requirement, why),
      );
    },
  );
}

function addLogin(app: App, people: People): void {
  app.post(
    '/api/login',
    {
      schema: {
        tags: ['me'],
        summary: 'Log in; wrong attempts make the next one wait',
        body: exactly({ login: Login, password: Password }),
        response: answers(LoginView),
      },
    },
    async (request) => {
      const { login, password } = request.body;
      const { personId, token, endsUtcMs } = granted(
        await people.login(login, password, request.ip),
      );
      const tokenId = token.split('.')[0] ?? '';
      return { personId, tokenId, token, endsUtcMs };
    },
  );

  app.post(
    '/api/enrol',
    {
      schema: {
        tags: ['me'],
        summary: 'Open an account with a one-time code',
        body: exactly({
          code: Type.String({ maxLength: 64, description: 'As it was shown.' }),
          login: Login,
          password: Password,
          name: Type.Optional(textOf(100, 'For the first person of the house only.')),
        }),
        response: answers(exactly({ personId: Type.String() })),
      },
    },
    async (request) => granted(await people.enrol(request.body, request.ip)),
  );

  app.delete(
    '/api/session',
    { schema: { tags: ['me'], summary: 'Log out', response: answers(DoneView) } },
    async (request) => {
      const actor = actorOf(request);
      return granted(await people.endToken(actor, actor.tokenId, true));
    },
  );

  app.put(
    '/api/me/password',
    {
      schema: {
        tags: ['me'],
        summary: 'Set a new password; other sessions end',
        body: exactly({ current: Password, next: Password }),
        response: answers(DoneView),
      },
    },
    async (request) =>
      granted(await people.setPassword(actorOf(request), request.body, request.ip)),
  );
}

function addTokens(app: App, people: People): void {
  app.get(
    '/api/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Sessions, API tokens and codes that are valid',
        response: answers(exactly({ tokens: listOf(TokenView, tokensShown) })),
      },
    },
    (request) => {
      const { personId } = actorOf(request);
      const rows = people.tokens(request.reach === 'own' ? personId : undefined);
      return {
        tokens: rows.map(({ roles, personId: owner, label, ...row }) => ({
          ...row,
          ...(owner === undefined ? {} : { personId: owner }),
          ...(label === undefined ? {} : { label }),
          ...(roles === undefined ? {} : { roles: [...roles] }),
        })),
      };
    },
  );

  app.post(
    '/api/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Make a token for a program that acts for you',
        body: exactly({
          label: textOf(100, 'What it is for.'),
          roles: Roles,
          days: Type.Integer({ minimum: 1, maximum: 365, description: 'Valid for so long.' }),
        }),
        response: answers(SecretView),
      },
    },
    async (request) => {
      const { label, roles, days } = request.body;
      const order = { label, roles, validMs: days * dayMs };
      return granted(await people.issueToken(actorOf(request), order));
    },
  );

  app.delete(
    '/api/tokens/:tokenId',
    {
      schema: {
        tags: ['tokens'],
        summary: 'End a session or token',
        params: exactly({ tokenId: Id }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { tokenId } = request.params;
      const onlyOwn = request.reach === 'own';
      return granted(await people.endToken(actorOf(request), tokenId, onlyOwn));
    },
  );
}
