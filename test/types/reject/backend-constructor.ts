// TS2673: Constructor of class 'Backend<L>' is private and only accessible within the class declaration.
import { Backend, type BackendFields } from "../../../src/core/backend.ts";

declare const fields: BackendFields;
new Backend("local", fields);
