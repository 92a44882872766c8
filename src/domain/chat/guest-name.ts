const colours =
  'Amber Azure Coral Copper Golden Green Indigo Ivory Jade Lilac Mint Olive Pearl Ruby Silver Teal'
const animals = 'Badger Crane Deer Finch Fox Hare Heron Koala Lark Lynx Magpie Otter Panda Robin Seal Swan'

/** A name for whoever chose none: always the same one for a member, and nothing about them in it. */
export function guestName(memberId: string): string {
  let number = 0
  for (const letter of memberId) number = (number * 31 + letter.charCodeAt(0)) % 999_983
  return `${nth(colours, number)} ${nth(animals, number >> 4)} ${(number >> 8) % 100}`
}

function nth(words: string, index: number): string {
  const list = words.split(' ')
  return list[index % list.length] ?? ''
}
