// Types of what ocelli uses of jsfive.
declare module 'jsfive' {
  export class Group {
    readonly keys: string[];
    readonly attrs: Record<string, unknown>;
    get(path: string): Group | Dataset;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name?: string);
  }
  export class Dataset {
    readonly shape: number[];
    readonly dtype: unknown;
    readonly chunks: number[] | null;
    readonly value: ArrayLike<number>;
    readonly _dataobjects: {
      find_msg_type(type: number): Map<string, number>[];
      _get_data_message_properties(offset: number): [number, number, number, number];
    };
  }
}
