// How texts of this cloud must look, and how instances made together are named.
// Source: contracts/volcengine-ecs.md sections 7.7 and 7.8.

const letter = 'A-Za-z\\u4e00-\\u9fff'
const numbering = /\[(\d{1,6}),(\d)\]/

/** Begins with a letter or CJK character; may hold one `[first,digits]` in place of a number. */
export const nameLike = new RegExp(
  `^(?=.{1,128}$)[${letter}][${letter}0-9_.-]*(?:\\[\\d{1,6},\\d\\][${letter}0-9_.-]*)?$`,
  'u',
)
export const descriptionLike = new RegExp(`^(?=[^]{1,255}$)[${letter}]`, 'u')
export const hostnameLike = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/

const nameMax = 128

/**
 * One name for each of `count`; undefined when one would be too long.
 *
 * Without numbering all get the same name: names are no ids in this cloud.
 */
export function namesFrom(
  name: string,
  count: number,
  suffix: { readonly isUnique: boolean; readonly first: number },
): readonly string[] | undefined {
  const names = Array.from({ length: count }, (_, index) => nameAt(name, index, suffix, count))
  return names.every((one) => one.length <= nameMax) ? names : undefined
}

function nameAt(
  name: string,
  index: number,
  suffix: { readonly isUnique: boolean; readonly first: number },
  count: number,
): string {
  const [pattern, first = '', digits = ''] = numbering.exec(name) ?? []
  if (pattern !== undefined) {
    return name.replace(pattern, String(Number(first) + index).padStart(Number(digits), '0'))
  }
  if (!suffix.isUnique || count === 1) return name
  return name + String(suffix.first + index).padStart(3, '0')
}

const passwordLike = /^(?!\/|\$6\$)[\x21-\x7e]{8,30}$/
const passwordClasses = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/]

export const isPassword = (text: string): boolean =>
  passwordLike.test(text) && passwordClasses.filter((one) => one.test(text)).length >= 3

const userDataBytesMax = 16_384
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Base64 of at most 16 KiB. */
export const isUserData = (text: string): boolean =>
  text.length % 4 === 0 &&
  base64.test(text) &&
  Buffer.byteLength(text, 'base64') <= userDataBytesMax
