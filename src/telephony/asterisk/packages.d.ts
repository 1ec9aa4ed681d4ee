// Types of the two untyped packages, as far as ami.ts and ari-worker.ts use them.

declare module 'asterisk-manager' {
  interface Ami {
    options: { username: string; password: string; events: boolean };
    connect(port: number, host: string): void;
    login(answered: (failure: unknown) => void): void;
    action(fields: Record<string, string>): string;
    on(event: string, hear: (what: unknown) => void): void;
    removeAllListeners(event?: string): void;
  }
  function createAmi(): Ami;
  export = createAmi;
}

declare module 'ari-client' {
  /** Methods are made at run time from Asterisk's own API description, hence so loose. */
  type Operation = (fields?: Record<string, unknown>) => Promise<unknown>;
  export interface Client {
    on(event: string, hear: () => void): void;
    start(app: string): Promise<unknown>;
    ping(): void;
    /** Private to the package, and the only way to the events without its own reading of them. */
    _ws: {
      removeAllListeners(event: 'message'): void;
      on(event: 'message', hear: (text: unknown) => void): void;
    };
    applications: { subscribe: Operation; filter: Operation };
    asterisk: { getInfo: Operation };
    bridges: {
      list: Operation;
      createWithId: Operation;
      destroy: Operation;
      addChannel: Operation;
    };
    channels: {
      list: Operation;
      originate: Operation;
      hangup: Operation;
      continueInDialplan: Operation;
    };
  }
  export function connect(address: string, user: string, secret: string): Promise<Client>;
}
