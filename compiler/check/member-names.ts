// The names of a session's members: exported functions are methods in camel case, each with an asynchronous form, beside the state and what
// sessions have themselves. No two may be the same.

import { asyncName, camelCase, RESERVED_NAMES } from '../../runtime/session-names.js';
import { type DiagnosticParts, diagnostic, type Note } from '../diagnostics/report.js';
import type { Span } from '../diagnostics/source.js';
import type * as ast from '../syntax/ast.js';
import type { Session } from './entry.js';

/** The name of the entry that computes the initial state. */
export const initName = 'init';

/** Something that a session gives to its host. */
interface Member {
  readonly name: string;
  /** How messages speak of it. */
  readonly what: string;
  /** Where it is declared; the key of random draws is nowhere. */
  readonly span: Span | undefined;
}

/** The members that functions make, then those that the state makes. */
function membersOf({ state }: Session, decls: readonly ast.Fn[]): readonly Member[] {
  const methods = decls.flatMap(({ name: { name, span } }): Member[] => {
    const method = camelCase(name);
    const what = `the function \`${name}\``;
    return [
      { name: method, what, span },
      { name: asyncName(method), what: `the asynchronous form of ${what}`, span },
    ];
  });
  const params = decls.flatMap((decl) => decl.params.map((param) => param.name));
  const roots = [...new Set(state.leaves.map(({ path }) => path.split('.')[0] ?? path))].map((name): Member => {
    const span = params.find((param) => param.name === name)?.span;
    return { name, what: span === undefined ? 'the key of random draws' : `the state \`${name}\``, span };
  });
  return [...methods, ...roots];
}

/** Reports exported functions and state whose names in the session are taken. */
export function checkMemberNames(session: Session, decls: readonly ast.Fn[]): void {
  const { source } = session.unit;
  const taken = new Map<string, Member>();
  const complain = (span: Span, parts: Pick<DiagnosticParts, 'message' | 'label' | 'notes' | 'help'>): void =>
    session.report(diagnostic('E0213', { source, span, ...parts }));
  const reported = new Set<Span>();
  for (const { name } of decls) {
    if (name.name !== initName) continue;
    const message = '`init` is the name of the function that computes the initial state, which every module has';
    complain(name.span, { message, label: 'exported', help: 'rename it' });
  }
  for (const member of membersOf(session, decls)) {
    const { name, what } = member;
    const other = taken.get(name);
    if (other === undefined) taken.set(name, member);
    const [later, earlier] = member.span === undefined ? [other, member] : [member, other];
    const span = later?.span;
    if (span === undefined || reported.has(span)) continue;
    const label = `called \`${name}\` in the session`;
    if (RESERVED_NAMES.includes(name)) {
      const message =
        name === 'then'
          ? `${what} would be called \`then\` in the session, and \`await\` takes what has that name for a promise`
          : `${what} would be called \`${name}\` in the session, which has \`${name}\` itself`;
      complain(span, { message, label, help: `rename it; these names are taken: ${RESERVED_NAMES.join(', ')}` });
    } else if (earlier !== undefined && other !== undefined) {
      const notes: Note[] = [{ text: `${earlier.what} is declared`, ...(earlier.span && { span: earlier.span }) }];
      complain(span, {
        message: `${later?.what} and ${earlier.what} would both be called \`${name}\` in the session`,
        label,
        notes: earlier.span === undefined ? [] : notes,
        help: 'rename one of them: functions are methods in camel case there, each also with `Async` at the end',
      });
    } else continue;
    reported.add(span);
  }
}
