// The order in which SQLite sorts: nothing before numbers before texts, texts by their UTF-8 bytes.
// Source: https://www.sqlite.org/datatype3.html, section 4.1

import type { Column } from '#kernel/tables.ts'

export function compareColumns(a: Column, b: Column): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return typeof a === 'number' ? -1 : 1
}

/**
 * JavaScript compares UTF-16 units, and there a character beyond U+FFFF (a pair of units from U+D800) comes
 * before U+E000; in UTF-8 it comes after everything.
 */
export function compareTexts(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let at = 0; at < end; at += 1) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return raised(left) - raised(right)
  }
  return a.length - b.length
}

const raised = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
