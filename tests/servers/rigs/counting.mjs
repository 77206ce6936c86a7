// A JSON array of texts in; out, for each, what X (weighted) and Bluesky (graphemes, bytes) count.
import { readFileSync } from 'node:fs'
import { RichText } from '@atproto/api'
import twitter from 'twitter-text'

const texts = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(texts.map((text) => {
  const rich = new RichText({ text })
  return { x: twitter.parseTweet(text).weightedLength, graphemes: rich.graphemeLength, bytes: rich.length }
})))
