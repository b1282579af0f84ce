// What the compiler asks of the world outside: the text of files and where imports lead. `cli/host.ts` is the one of Node.

export interface Host {
  /** The text of a file, or undefined where there is none. */
  readFile(path: string): string | undefined;
  /** The path of what `import name` in the file `from` means: `./rel.td`, `package/file.td`, or a module `std.nn` of the library. */
  resolve(from: string, name: string): string | undefined;
  /** The names of the programs in the folder of a path, for hints where the path leads nowhere. */
  filesBeside?(path: string): readonly string[];
  /** The names of the modules of the library: `nn` for `std.nn`. */
  standardModules(): readonly string[];
}
