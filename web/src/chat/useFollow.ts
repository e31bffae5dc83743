import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

/** Distance in pixels from the end that still counts as being at the end. */
const NEAR_END = 60;

export interface Follow {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  isAtEnd: boolean;
  toEnd: () => void;
}

/** Keep a growing column at its end, but only while the reader is there; whoever scrolled up stays put. */
export function useFollow(resetOn: string): Follow {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);

  const toEnd = useCallback((): void => {
    isFollowing.current = true;
    setAtEnd(true);
    const box = scroller.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, []);

  useEffect(() => {
    const box = scroller.current;
    const column = content.current;
    if (box === null || column === null) return undefined;
    const onScroll = (): void => {
      isFollowing.current = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_END;
      setAtEnd(isFollowing.current);
    };
    const observer = new ResizeObserver(() => {
      if (isFollowing.current) box.scrollTop = box.scrollHeight;
      else onScroll();
    });
    observer.observe(column);
    observer.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, []);

  useEffect(() => toEnd(), [resetOn, toEnd]);
  return { scroller, content, isAtEnd, toEnd };
}
